"""How one person comes to be written in two ways."""

from datetime import date, timedelta
from random import Random

from customers.normalize import NICKNAMES

KEYS_BESIDE = {
    **{"a": "sqz", "b": "vgn", "c": "xvd", "d": "sfe", "e": "wrd", "f": "dgr", "g": "fht"},
    **{"h": "gjy", "i": "uok", "j": "hku", "k": "jli", "l": "kop", "m": "nk", "n": "bmh"},
    **{"o": "ipl", "p": "ol", "q": "wa", "r": "etf", "s": "adw", "t": "ryg", "u": "yij"},
    **{"v": "cbf", "w": "qes", "x": "zcs", "y": "tuh", "z": "xa"},
}
SHORT_FORMS = {name: sorted(group - {name}) for group in NICKNAMES for name in group}


def mistype(dice: Random, word: str) -> str:
    """One slip: a letter dropped, doubled, swapped with the next, or hit beside."""
    if len(word) < 3:
        return word
    at = dice.randrange(1, len(word))
    slip = dice.random()
    if slip < 0.25:
        return word[:at] + word[at + 1 :]
    if slip < 0.45:
        return word[:at] + word[at] + word[at:]
    if slip < 0.7 and at + 1 < len(word):
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    beside = KEYS_BESIDE.get(word[at].lower(), "e")
    return word[:at] + dice.choice(beside) + word[at + 1 :]


def shorten(dice: Random, name: str) -> str:
    """What friends say: Bill for William, else Ben for Benjamin."""
    forms = SHORT_FORMS.get(name.lower())
    if forms:
        return dice.choice(forms).capitalize()
    return name[: max(3, len(name) // 2)]


def misdate(dice: Random, day: date) -> date:
    """Day and month swapped, a digit wrong, or a day off."""
    if dice.random() < 0.4 and day.day <= 12:
        return day.replace(month=day.day, day=day.month)
    if dice.random() < 0.5:
        return day.replace(year=day.year + dice.choice((-10, -1, 1, 10)), day=min(day.day, 28))
    return day + timedelta(days=dice.choice((-1, 1, 10, -10)))
