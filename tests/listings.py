"""Run the listing cells of a notebook in a namespace of their own, to compare what the reader sees with the package."""
from snnteach.authoring import notebooks


def namespace(name):
    """Execute the setup and listing cells of the notebook of this topic or number and return their names."""
    (path,) = notebooks.paths([name])
    names = {}
    for cell in notebooks.read(path).cells:
        if cell.cell_type == "code" and {"setup", "listing"} & set(cell.metadata.get("tags", [])):
            exec(compile(cell.source, f"{path.stem}:{cell.id}", "exec"), names)
    return names
