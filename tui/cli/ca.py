"""`assay ca`: the certificate authority, and how a client or a platform is made to trust it."""

import click

from tui.cli.command import command as declare
from tui.cli.options import setting_options, settings_of
from tui.invocation import own_command
from tui.settings import Group

_HOW_TO_TRUST = """\
Nothing needs to be installed for one session:  {assay} run -- CLIENT   or   eval "$({assay} env)"

Per client (what those two set):
  Node, Claude Code      NODE_EXTRA_CA_CERTS={certificate}
  Python, Go, Rust       SSL_CERT_FILE={bundle}
  requests               REQUESTS_CA_BUNDLE={bundle}
  curl                   CURL_CA_BUNDLE={bundle}
  AWS SDKs (Bedrock)     AWS_CA_BUNDLE={bundle}

For a whole machine (every program of yours; only for clients that read no variable):
  Debian, Ubuntu         sudo cp {certificate} /usr/local/share/ca-certificates/assay.crt && sudo update-ca-certificates
  Fedora, RHEL           sudo cp {certificate} /etc/pki/ca-trust/source/anchors/assay.pem && sudo update-ca-trust
  Arch                   sudo trust anchor --store {certificate}
  macOS                  security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db {certificate}
  Windows                certutil -user -addstore Root {certificate}
  Firefox                Settings > Privacy & Security > Certificates > View Certificates > Authorities > Import

The key never leaves {directory} and signs only for hosts that Assay intercepts. To stop trusting it, undo the above;
to replace it, delete that directory: a new one is made at the next start."""


@declare(
    "ca",
    examples=[
        "assay ca",
        'NODE_EXTRA_CA_CERTS="$(assay ca --path)" HTTPS_PROXY=http://127.0.0.1:8080 claude',
        'openssl x509 -noout -text -in "$(assay ca --path)"',
    ],
    exit_codes=["0 shown, 4 the certificate authority cannot be read or made"],
)
@click.option("--path", "is_path", is_flag=True, help="Print only the path of the certificate (PEM).")
@click.option("--bundle", "is_bundle", is_flag=True, help="Print only the path of the bundle: the public roots and ours.")
@setting_options(Group.STORAGE, only=("data_dir",))
@click.pass_context
def command(ctx: click.Context, /, is_path: bool, is_bundle: bool, **_settings: object) -> None:
    """Show the certificate authority: path, fingerprint, validity, and how to trust it.

    It is made at the first use, for this user alone.
    """
    from tui.trust import open_own_authority

    authority = open_own_authority(settings_of(ctx).data_dir)
    if is_path or is_bundle:
        click.echo(authority.certificate_path if is_path else authority.bundle_path)
        return
    click.echo(f"certificate   {authority.certificate_path}")
    click.echo(f"bundle        {authority.bundle_path}")
    click.echo(f"SHA-256       {authority.fingerprint_sha256}")
    click.echo(f"valid         {authority.valid_from:%Y-%m-%d} to {authority.valid_until:%Y-%m-%d} (renewed by itself)")
    click.echo()
    places = {
        "assay": own_command(),
        "certificate": authority.certificate_path,
        "bundle": authority.bundle_path,
        "directory": authority.certificate_path.parent,
    }
    click.echo(_HOW_TO_TRUST.format_map(places))
