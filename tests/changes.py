"""Let the resolver see the package with a line changed, to ask what that makes stale."""
import functools

from snnteach.reader import resolver, sources

PACKAGE = resolver.PACKAGE


def change(monkeypatch, file, old, new):
    """Let the resolver read one file of the package with some text replaced."""
    text = (PACKAGE / file).read_text(encoding="utf-8")
    assert old in text

    @functools.cache
    def changed(name, package):
        return sources.Module(name, PACKAGE / file, text.replace(old, new, 1), package)

    def read(package, name, *checks):
        module = sources.read(package, name, *checks)
        return changed(name, module.package) if module.path == PACKAGE / file else module

    monkeypatch.setattr(resolver, "read", read)
