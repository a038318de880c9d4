"""How the course opens: ``jupyter lab --config=jupyter_lab_config.py``."""

c = get_config()  # noqa: F821  # JupyterLab puts it there

c.LabApp.default_url = "/lab/tree/notebooks/00_start_here.ipynb"
# In a container, whoever follows the README is root, and JupyterLab would refuse to start.
c.ServerApp.allow_root = True
