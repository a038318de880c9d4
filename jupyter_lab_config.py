"""How the course opens: ``jupyter lab --config=jupyter_lab_config.py``."""

c = get_config()  # noqa: F821  # JupyterLab puts it there

c.LabApp.default_url = "/lab/tree/notebooks/00_start_here.ipynb"
# Nothing leaves this machine, a look for news or for a newer JupyterLab included.
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
# In a container, whoever follows the README is root, and JupyterLab would refuse to start.
c.ServerApp.allow_root = True
