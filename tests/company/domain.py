# SPDX-License-Identifier: Apache-2.0
"""Who stands between pilake and a source in a company: a domain's KDC, issuers, gates and proxies."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from servers import BIN, Server, free_port

HOST = "localhost"  # a service's name holds a host's name, not an address


class Realm(Server):
    """A realm with its KDC. `now` shifts the KDC's clock, as faketime writes it: `+10m`."""

    def __init__(self, folder: Path, name: str = "TEST.LOCAL", now: str | None = None):
        folder.mkdir(parents=True)
        self.folder, self.name = folder, name
        port = free_port()
        (folder / "kdc.conf").write_text(f"""
[kdcdefaults]
 kdc_listen = 127.0.0.1:{port}
 kdc_tcp_listen = 127.0.0.1:{port}
[realms]
 {name} = {{
  database_name = {folder}/principal
  key_stash_file = {folder}/stash
  acl_file = {folder}/kadm5.acl
  max_life = 1h
  supported_enctypes = aes256-cts:normal aes128-cts:normal
 }}
[logging]
 kdc = FILE:{folder}/kdc.log
""")
        self.port = port
        self.file = self.write_config("krb5.conf")
        self.env = {"KRB5_CONFIG": str(self.file), "KRB5_KDC_PROFILE": str(folder / "kdc.conf")}
        self._call("/usr/sbin/kdb5_util", "-r", name, "create", "-s", "-P", "master")
        shift = ["/usr/bin/faketime", "-f", now] if now else []
        program, *args = [*shift, "/usr/sbin/krb5kdc", "-n", "-r", name]
        super().__init__(folder, program, *args, port=port, env=self.env)

    def write_config(self, file: str, *lines: str, knows: tuple[Realm, ...] = ()) -> Path:
        """What a machine of this realm has as its krb5.conf; `knows` are other realms."""
        path = self.folder / file
        realms = "".join(f" {realm.name} = {{\n  kdc = 127.0.0.1:{realm.port}\n }}\n" for realm in (self, *knows))
        defaults = "".join(f" {line}\n" for line in (
            f"default_realm = {self.name}", "dns_lookup_realm = false", "dns_lookup_kdc = false",
            "dns_canonicalize_hostname = false", "rdns = false", "udp_preference_limit = 1", *lines))
        path.write_text(f"[libdefaults]\n{defaults}[realms]\n{realms}[domain_realm]\n {HOST} = {self.name}\n")
        return path

    def _call(self, *words: str, **options: object) -> None:
        done = subprocess.run(words, env={**os.environ, **self.env}, capture_output=True, text=True, check=False,
                              **options)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"

    def _admin(self, query: str) -> None:
        self._call("/usr/sbin/kadmin.local", "-r", self.name, "-q", query)

    def add(self, principal: str, *flags: str) -> Path:
        """A new account, or the service `HTTP/host`; its keytab."""
        keytab = self.folder / f"{principal.replace('/', '-')}.keytab"
        self._admin(" ".join(["addprinc", *flags, "-randkey", principal]))
        self.renew_key(principal, keytab)
        return keytab

    def renew_key(self, principal: str, keytab: Path) -> None:
        """It gets another key, and none but that stands in `keytab`."""
        keytab.unlink(missing_ok=True)
        self._admin(f"ktadd -k {keytab} {principal}")

    def remove(self, principal: str) -> None:
        self._admin(f"delprinc -force {principal}")

    def change(self, principal: str, *flags: str) -> None:
        self._admin(" ".join(["modprinc", *flags, principal]))

    def sign_in(self, principal: str, keytab: Path, life: str = "1h") -> str:
        """kinit; the name of the new ticket cache."""
        cache = f"FILE:{self.folder}/cache-{principal}-{time.monotonic_ns()}"
        self._call("/usr/bin/kinit", "-l", life, "-c", cache, "-k", "-t", str(keytab), principal)
        return cache

    def asked(self, what: str) -> int:
        """How often the KDC was asked so: `AS_REQ` (for a ticket by a key), `TGS_REQ` (for a service)."""
        log = self.folder / "kdc.log"
        return sum(f"{what} (" in line for line in log.read_text().splitlines())


class Gate(Server):
    """Apache before the source: who passes it has signed on as `rules` want."""

    MODULES = ("mpm_event", "authn_core", "authz_core", "authz_user", "proxy", "proxy_http", "headers")

    def __init__(self, folder: Path, backend_port: int, rules: str, modules: tuple[str, ...] = (),
                 listen: str = "", env: dict[str, str] | None = None, now: str | None = None):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o777)  # Apache's workers are not root
        self.access = folder / "access.log"
        port = free_port()
        self._pid = folder / "pid"
        loads = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so"
                          for name in (*self.MODULES, *modules))
        conf = folder / "apache.conf"
        conf.write_text(f"""
ServerRoot "{folder}"
ServerName {HOST}
Listen 127.0.0.1:{port}
PidFile "{self._pid}"
DefaultRuntimeDir "{folder}"
Mutex file:{folder} default
ErrorLog "{folder}/error.log"
User www-data
Group www-data
{loads}
LogFormat "%u %>s %U" short
CustomLog "{self.access}" short
{listen}
<Location "/">
{rules}
</Location>
ProxyPass "/" "http://127.0.0.1:{backend_port}/" upgrade=websocket
""")
        shift = ["/usr/bin/faketime", "-f", now] if now else []
        program, *args = [*shift, "/usr/sbin/apache2", "-f", str(conf), "-DFOREGROUND"]
        super().__init__(folder, program, *args, port=port, env={"KRB5RCACHENAME": f"file2:{folder}/replays", **(env or {})})
        self.error_log = folder / "error.log"

    def url_as(self, scheme: str = "http") -> str:
        return f"{scheme}://{HOST}:{self.port}/piwebapi"

    def seen(self) -> list[tuple[str, int]]:
        """Of each request who asked and what came of it, in the order of their ends."""
        return [(line.split()[0], int(line.split()[1])) for line in self.access.read_text().splitlines()]

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        finally:
            self.process.kill()


def kerberos_gate(folder: Path, realm: Realm, keytab: Path, backend_port: int, now: str | None = None) -> Gate:
    """As PI Web API does by default. Its clock forgives five seconds, so that a ticket that ran out is one."""
    keytab.chmod(0o644)
    config = realm.write_config("gate.conf", "clockskew = 5")
    return Gate(folder, backend_port, f"""
  AuthType GSSAPI
  AuthName "PI Web API"
  GssapiCredStore keytab:{keytab}
  GssapiAllowedMech krb5
  GssapiLocalName On
  Require valid-user
  RequestHeader unset Authorization
""", ("auth_gssapi",), env={"KRB5_CONFIG": str(config)}, now=now)


@dataclass
class Paper:
    certificate: Path
    key: Path


class Authority:
    """A certificate authority that the system does not know."""

    def __init__(self, folder: Path):
        folder.mkdir()
        self.folder = folder
        self.certificate, self._key = folder / "ca.pem", folder / "ca.key"
        self._openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=Plant Root",
                      "-keyout", self._key, "-out", self.certificate)

    def issue(self, name: str, *extensions: str) -> Paper:
        paper = Paper(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        request, more = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        more.write_text("\n".join(["basicConstraints = CA:FALSE", *extensions]))
        self._openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", paper.key, "-out",
                      request)
        self._openssl("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key, "-days", "2",
                      "-extfile", more, "-out", paper.certificate)
        return paper

    @staticmethod
    def _openssl(*words: object) -> None:
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


class Issuer(Server):
    """An OpenID Connect issuer whose tokens live for so many seconds."""

    def __init__(self, folder: Path, seconds: int, secret: str):
        folder.mkdir(parents=True)
        (folder / "node_modules").symlink_to(BIN / "oidc-provider")  # is looked for beside the script
        self.paper = Authority(folder / "keys").issue("issuer")
        script = shutil.copy(Path(__file__).with_name("issuer.mjs"), folder)
        port = free_port()
        super().__init__(folder, shutil.which("node"), script, port, seconds, secret,
                         self.paper.key, port=port)

    def given(self) -> int:
        """How many tokens it gave."""
        return self.log.read_text().count("token given")


def token_gate(folder: Path, issuer: Issuer, backend_port: int) -> Gate:
    """Lets in whoever has a token of `issuer` for PI Web API that has not run out."""
    return Gate(folder, backend_port, """
  AuthType oauth20
  Require claim aud:piwebapi
  RequestHeader unset Authorization
""", ("auth_openidc",), listen=f"""
OIDCOAuthVerifyCertFiles plant#{issuer.paper.certificate}
OIDCOAuthRemoteUserClaim client_id
OIDCCryptoPassphrase unused
""")


def certificate_gate(folder: Path, authority: Authority, backend_port: int) -> Gate:
    """TLS, and whoever shows no certificate of `authority` is turned away in its handshake."""
    own = authority.issue(HOST, f"subjectAltName = DNS:{HOST}")
    return Gate(folder, backend_port, "  Require all granted", ("ssl",), listen=f"""
SSLEngine on
SSLSessionCache none
SSLCertificateFile {own.certificate}
SSLCertificateKeyFile {own.key}
SSLCACertificateFile {authority.certificate}
SSLVerifyClient require
SSLUserName SSL_CLIENT_S_DN_CN
""")


class Proxy(Server):
    """Between pilake and the source; it wants to know who comes."""

    def __init__(self, folder: Path, user: str, password: str):
        folder.mkdir(parents=True)
        port = free_port()
        conf = folder / "tinyproxy.conf"
        conf.write_text(f"Port {port}\nListen 127.0.0.1\nTimeout 600\nBasicAuth {user} {password}\nLogLevel Connect\n")
        super().__init__(folder, "/usr/bin/tinyproxy", "-d", "-c", conf, port=port)
