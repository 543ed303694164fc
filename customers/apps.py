from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "customers"
    verbose_name = "People"

    def ready(self) -> None:
        from customers.sync.handlers import (  # noqa: F401 - They register.
            messaging,
            proofs,
            scl,
            teetime,
        )
