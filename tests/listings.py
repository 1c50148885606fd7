"""Run the listing cells of a notebook in a namespace of their own, to compare what the reader sees with the package."""
from snnteach.authoring import notebooks


def namespace(number):
    """Execute the setup and listing cells of notebook `number` ("01") and return their names."""
    (path,) = notebooks.paths([number])
    names = {}
    for cell in notebooks.read(path).cells:
        if cell.cell_type == "code" and {"setup", "listing"} & set(cell.metadata.get("tags", [])):
            exec(compile(cell.source, f"{path.stem}:{cell.id}", "exec"), names)
    return names
