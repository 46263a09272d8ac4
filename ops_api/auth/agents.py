"""Browsers in words, for people who look for theirs in a list of sessions.

A few names are enough to tell one's own devices apart; what is none of them is shown as it calls
itself. Nothing is decided by them: anybody can call themselves anything.
"""

# Who also says the next one's name comes first: Edge says that it is Chrome, Chrome that it is
# Safari.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("YaBrowser/", "Yandex Browser"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)
PROGRAM_LENGTH_MAX = 40


def device_of(user_agent: str) -> str:
    """`Firefox, Linux`; a program's own first word; empty when it did not say anything."""
    names = [
        next((name for sign, name in signs if sign in user_agent), "")
        for signs in (BROWSERS, SYSTEMS)
    ]
    if names[0]:
        return ", ".join(filter(None, names))
    return user_agent.partition(" ")[0][:PROGRAM_LENGTH_MAX]
