"""What stands in the HTML of a page: ids, links, files that it loads, and pictures and sliders that say nothing."""
from html.parser import HTMLParser

LOADED = {"img": "src", "script": "src", "iframe": "src", "source": "src", "link": "href"}
NAMES = {"img": "alt", "input": "aria-label"}


class Page(HTMLParser):
    """The ids, links, loaded files and kinds of elements of a page, the names of its pictures and sliders, or what has none."""

    def __init__(self, path):
        super().__init__()
        self.ids, self.elements = set(), set()
        self.links, self.loaded, self.named, self.nameless = [], [], [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.ids.add(values.get("id"))
        self.elements.add((tag, values.get("class")))
        if tag == "a" and values.get("href"):
            self.links.append(values["href"])
        if values.get(LOADED.get(tag)) and values.get("rel") not in ("index", "search", "next", "prev", "canonical"):
            self.loaded.append(values[LOADED[tag]])
        if tag == "img" or values.get("type") == "range":
            name = (values.get(NAMES[tag]) or "").strip()
            (self.named if name else self.nameless).append(name or str(values)[:200])
