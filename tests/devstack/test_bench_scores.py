"""Predicted value keeps to its figures on people none of us made up."""

from crm_site.devstack.bench.scores import foretell_cdnow


def test_predicted_value_keeps_its_figures_on_cdnow():
    found = foretell_cdnow()

    assert found.mean_error <= 0.7650
    assert found.root_mean_square_error <= 1.608
    assert 0.837 <= found.share_of_total <= 1.15
    assert found.auc >= 0.76
    assert found.mean_spend_error <= 2975
