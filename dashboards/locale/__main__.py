"""Bring new texts of the code into the catalogs: `python -m dashboards.locale`."""

from dashboards.locale import FOLDER, extracted, write_catalog

if __name__ == "__main__":
    for path in sorted(FOLDER.glob("*.po")):
        write_catalog(path, extracted())
