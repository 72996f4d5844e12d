"""Rewrite the generated tables of every page: `python -m tools.docs`."""

from tools.docs.pages import differing, pages, write

if __name__ == "__main__":
    for page in differing(pages()):
        write(page)
        print(f"wrote {page.name}")
