"""The hub's configuration, for ``jupyterhub -f jupyterhub/jupyterhub_config.py``.

Nothing here differs from site to site. What does is read from the environment; hub.env.example, beside this file, has
all of it with explanations. A site that needs more writes a file of its own that begins with
``load_subconfig("/path/to/this/file")``.
"""

import os
import sys
from pathlib import Path

from alertdb.errors import AlertdbError
from alertdb.hub import leavers, spawners
from alertdb.hub.authenticator import MemberAuthenticator
from alertdb.hub.examples import list_examples
from alertdb.hub.proxy import proxy_command
from alertdb.hub.settings import ensure_secret, read_settings

os.umask(0o077)  # what the hub writes down is for its own account
HERE = Path(__file__).resolve().parent
c = get_config()  # noqa: F821 (JupyterHub runs this file with that name)
try:
    site = read_settings(os.environ)
    proxy = proxy_command(HERE / "proxy")
except AlertdbError as error:
    sys.exit(f"The hub does not start: {error}")

# --- Who may come in: active members, nobody else; admins are named ---
c.JupyterHub.authenticator_class = MemberAuthenticator
c.MemberAuthenticator.client_id = site.client_id
c.MemberAuthenticator.client_secret = site.client_secret
c.MemberAuthenticator.github_url = site.github_url
c.MemberAuthenticator.oauth_callback_url = f"{site.url}/hub/oauth_callback"
c.MemberAuthenticator.scope = ["read:org"]  # without it, GitHub tells of public memberships only
c.MemberAuthenticator.allowed_organizations = set(site.organizations)
c.MemberAuthenticator.partnership = list(site.partnership)
c.MemberAuthenticator.allow_all = False
c.MemberAuthenticator.allow_existing_users = False
c.MemberAuthenticator.admin_users = site.admin_names
c.MemberAuthenticator.custom_403_message = (
    f"GitHub does not list you as an active member of {' or '.join(site.organizations)}. Ask the group to invite you, "
    "accept the invitation on GitHub, and log in again."
)

# --- Who may stay: GitHub is asked again, for requests here and by the service `leavers` for all others ---
c.CryptKeeper.keys = [bytes.fromhex(ensure_secret(site.state, "crypt_key"))]  # GitHub's tokens are kept encrypted
c.MemberAuthenticator.enable_auth_state = True
c.MemberAuthenticator.auth_refresh_age = site.check_seconds
c.MemberAuthenticator.auth_refresh_strict = True  # API tokens of a leaver are refused as well
c.MemberAuthenticator.refresh_pre_spawn = True
c.MemberAuthenticator.patience_seconds = site.patience_seconds
c.JupyterHub.cookie_max_age_days = 1
c.JupyterHub.token_expires_in_max_seconds = 30 * 24 * 3600

# --- Where notebooks run ---
c.merge(spawners.docker(site) if site.spawner == "docker" else spawners.simple(site))
c.Spawner.pre_spawn_hook = spawners.prepare(site)
c.Spawner.post_stop_hook = spawners.close
c.Spawner.default_url = f"/lab/tree/{spawners.FOLDER}"
c.Spawner.disable_user_config = not site.subdomains  # else a page of one user could reach the pages of another
c.JupyterHub.allow_named_servers = False
c.JupyterHub.concurrent_spawn_limit = site.concurrent_spawns
c.JupyterHub.active_server_limit = site.servers
c.JupyterHub.cleanup_servers = False  # a hub that restarts leaves notebooks running

# --- Addresses ---
c.JupyterHub.bind_url = site.listen
c.JupyterHub.hub_ip = site.hub_address
c.JupyterHub.hub_port = site.hub_port
if site.subdomains:
    c.JupyterHub.subdomain_host = site.url
    c.JupyterHub.cookie_host_prefix_enabled = True
c.JupyterHub.tornado_settings = {
    "headers": {"Content-Security-Policy": "frame-ancestors 'none'", "Referrer-Policy": "same-origin"}
}
c.ConfigurableHTTPProxy.command = proxy
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{site.proxy_api_port}"
c.ConfigurableHTTPProxy.auth_token = ensure_secret(site.state, "proxy_token")
c.ConfigurableHTTPProxy.pid_file = str(site.state / "proxy.pid")

# --- What the hub remembers ---
c.JupyterHub.db_url = f"sqlite:///{site.state / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret = bytes.fromhex(ensure_secret(site.state, "cookie_secret"))

# --- Pages ---
c.JupyterHub.template_paths = [str(HERE / "templates")]
c.JupyterHub.template_vars = {"examples": list_examples(site.notebooks), "examples_folder": spawners.FOLDER}
c.JupyterHub.redirect_to_server = False  # the start page has the examples

# --- Services ---
culler = ["--timeout", str(site.idle_seconds), "--max-age", str(site.oldest_seconds), "--cull-every", "300"]
c.JupyterHub.services = [
    {"name": "idle-culler", "command": [sys.executable, "-m", "jupyterhub_idle_culler", *culler]},
    leavers.service(
        [sys.executable, "-m", "alertdb.hub.leavers"],
        site.github_api,
        site.organizations,
        site.partnership,
        site.check_seconds,
        site.patience_seconds,
    ),
]
c.JupyterHub.load_roles = [
    {
        "name": "idle-culler",
        "services": ["idle-culler"],
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
    },
    {"name": leavers.NAME, "services": [leavers.NAME], "scopes": leavers.SCOPES},
]
