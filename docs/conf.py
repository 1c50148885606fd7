"""Sphinx's settings for the site; `python -m snnteach site` prepares the pages (see `snnteach/authoring/site.py`)."""
import functools

from snnteach import __version__
from snnteach.authoring import course, site, uses

project, author, version = "snnteach", "the snnteach contributors", __version__
html_title = "Training spiking neural networks"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode", "sphinx_copybutton",
              "sphinx-mathjax-offline"]

myst_enable_extensions = ["dollarmath", "attrs_block"]
nb_execution_mode = "off"
nb_code_prompt_show, nb_code_prompt_hide = "Show the code", "Hide the code"
nb_ipywidgets_js = {}                                  # no widget on any page, so none of their scripts either
default_role = "py:obj"
add_module_names = False
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
copybutton_selector = "div.cell_input pre, div.highlight-python pre, div.highlight-bash pre, div.highlight-default pre"
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True
copybutton_copy_empty_lines = False

html_theme = "sphinx_book_theme"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_search_summary = False                       # it fetches pages, which a browser forbids where they lie on disk
html_theme_options = {
    "repository_url": course.repository(),
    "repository_branch": course.VERSION,
    "path_to_docs": "tutorials",
    "launch_buttons": {"binderhub_url": "https://mybinder.org", "notebook_interface": "jupyterlab"},
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    "navbar_persistent": [],
    "home_page_in_toc": True,
    "show_toc_level": 2,
}
html_context = {"default_mode": "auto"}


def setup(app):
    """Let autodoc set formulas apart and link to the listings, before napoleon reads the docstrings."""
    app.connect("autodoc-process-docstring", functools.partial(site.document, where=uses.listings()), priority=400)
    app.connect("autodoc-skip-member", lambda app, what, name, member, skip, options:
                True if (member.__doc__ or "").startswith("Alias for field number") else None)
