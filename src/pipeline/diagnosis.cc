// SPDX-License-Identifier: Apache-2.0
#include "pipeline/diagnosis.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include <fmt/format.h>

namespace pilake::pipeline {
namespace {

constexpr Diagnosis kDiagnoses[] = {
    {"issuer-away", "sign-on", "source.auth.issuer: ",
     "The issuer of tokens cannot be reached, or has a certificate that is not trusted here.",
     "The rest of the sentence says which; correct source.auth.issuer or trust.ca, or open the "
     "way."},
    {"dns", "network", "no address is known for host",
     "The name in source.url is mistyped, or this machine's DNS does not know it.",
     "Try `getent hosts NAME`; correct source.url or /etc/resolv.conf."},
    {"no-answer", "network", "; is a firewall in between?",
     "Packets to the host and port are dropped.",
     "Have the firewall let this machine through to that port, which is 443 as a rule."},
    {"nothing-there", "network", "nothing accepts connections at",
     "PI Web API does not run, or at another port.",
     "Start the service, or correct the port in source.url."},

    {"proxy-away", "proxy", "through the proxy (",
     "The proxy is not there, or does not let us through to the source.",
     "Correct source.proxy.url (or https_proxy), or have the proxy's administrator allow the "
     "host."},
    {"proxy-credentials", "proxy", "the proxy wants credentials",
     "The proxy wants to know who comes, or knows us by another password.",
     "Write source.proxy.username and source.proxy.password."},
    {"proxy-refuses", "proxy", "the proxy refused user",
     "The proxy does not take source.proxy.password for that user's.",
     "Correct source.proxy.username and source.proxy.password."},

    {"tls-authority", "tls", "comes from an authority that is not known here",
     "The certificate was issued by a company's own authority, or signed by itself.",
     "Have its PEM file from the administrator and name it in trust.ca."},
    {"tls-expired", "tls", "has expired; its administrator must renew it",
     "The server's certificate has run out, or this machine's clock is far ahead.",
     "Have it renewed; look at `timedatectl`."},
    {"tls-name", "tls", "cannot be trusted (is it made for another name?)",
     "The certificate is for another name than that in source.url.",
     "Write the host in source.url by the name that stands in the certificate."},
    {"tls-none", "tls", "does not speak TLS", "The port is one of plain HTTP.",
     "Correct the port, or write http:// if that is meant."},
    {"tls-certificate", "tls", "wants to know us by a certificate",
     "The server, or a gateway before it, lets in only who shows a certificate that it knows.",
     "Write source.auth.certificate and source.auth.key."},

    {"no-pi-web-api", "address", "there is no PI Web API at this address",
     "A web server answers, but PI Web API is not below that path.",
     "Correct the path of source.url, which is /piwebapi as a rule."},
    {"login-page", "address", "looks like a login page",
     "A portal or single sign-on stands before PI Web API and wants a person.",
     "Have an address without it for services, or a token that it takes (source.auth.kind "
     "bearer)."},
    {"redirect", "address", "the server sends us to",
     "The service lives at another address, which is not followed on its word.",
     "Write that address as source.url, if it is the one that is meant."},

    {"no-credentials", "sign-on", "a caller without credentials was refused",
     "PI Web API does not let in everybody, and source.auth does not say who we are.",
     "Write source.auth: kerberos where Negotiate is accepted (docs/sign-on.md)."},
    {"ntlm-refused", "sign-on", "' (NTLM) was refused",
     "User or password are wrong, the account is locked, or NTLM is forbidden in the domain.",
     "Correct source.auth.username and source.auth.password; better use kerberos."},
    {"password-refused", "sign-on", "' was refused; check source.auth.",
     "User or password are wrong, the account is locked, or Basic is not among "
     "AuthenticationMethods.",
     "Correct source.auth.username (DOMAIN\\user) and source.auth.password; the sentence lists "
     "what the server accepts."},
    {"token-refused", "sign-on", "was refused; is it still good",
     "The token has run out, or was issued for another service.",
     "Have whoever keeps the file replace it in time."},
    {"token-command", "sign-on", "source.auth.token_command: ",
     "The program that prints the token failed, printed nothing or took too long.",
     "Run it as the same user; the sentence says how it ended."},
    {"token-command-refused", "sign-on", "of source.auth.token_command was refused",
     "What the program prints is no token that PI Web API accepts.",
     "Run it, and look at audience and end of the token."},
    {"token-file", "sign-on", "source.auth.token_file: cannot read",
     "The file with the token is not there, or may not be read.",
     "Correct the path, or let the user as whom pilake runs read it."},
    {"issuer-none", "sign-on", "does not tell where tokens are to be had",
     "There is no OpenID configuration below source.auth.issuer.",
     "Write the address before /.well-known/openid-configuration."},
    {"client-refused", "sign-on", "no token: ",
     "The issuer does not know the client, takes another secret for its, or does not give it the "
     "scope.",
     "Correct source.auth.client_id, client_secret and scope; the sentence has the issuer's "
     "words."},
    {"certificate-file", "sign-on", "source.auth.certificate: ",
     "The file is not there, may not be read, or holds no certificate in PEM form.",
     "Correct the path; `openssl x509 -in FILE -noout -subject` must print it."},
    {"certificate-key", "sign-on", "source.auth.key: ",
     "The key is another certificate's, is locked by a password, or may not be read.",
     "Name the key that was made with the certificate; `openssl pkey -in LOCKED -out KEY` unlocks "
     "it."},

    {"kerberos-library", "sign-on", "needs the system's Kerberos library",
     "The GSSAPI library of MIT Kerberos is not installed.",
     "Install libgssapi-krb5-2 (Debian, Ubuntu), krb5-libs (Red Hat) or krb5 (SUSE)."},
    {"kerberos-clock", "sign-on", "this machine's clock and the KDC's are further apart",
     "One of the two clocks is wrong.", "Set both by NTP; look at `timedatectl`."},
    {"kerberos-kdc", "sign-on", "no KDC of the realm answers",
     "The domain controller is down, or port 88 is closed.",
     "Open port 88 (TCP and UDP) to the domain controllers; check /etc/krb5.conf."},
    {"kerberos-realm", "sign-on", "does not know where the KDC of the realm is",
     "The realm is mistyped, or neither /etc/krb5.conf nor DNS tells of it.",
     "Write the realm in capitals, and its KDCs into /etc/krb5.conf if DNS has no SRV records."},
    {"kerberos-account", "sign-on", "the KDC does not know",
     "There is no such account in the realm.",
     "Correct source.auth.principal; `klist -k FILE` shows whose key the keytab holds."},
    {"kerberos-service", "sign-on", "no KDC knows HTTP/",
     "The name by which PI Web API is asked has no service principal, or its realm is not trusted.",
     "Have `setspn -S HTTP/HOST ACCOUNT` run in the domain, and write source.url with HOST."},
    {"kerberos-old-key", "sign-on", "the key in the keytab is not the one",
     "The account's password was changed after the keytab was made.",
     "Have the keytab made anew (ktpass or ktutil)."},
    {"kerberos-other-key", "sign-on", "the keytab holds no key of",
     "The keytab is another account's.",
     "Correct source.auth.principal or source.auth.keytab; `klist -k FILE` shows whose it is."},
    {"kerberos-locked", "sign-on", "is locked or disabled", "The account was locked or disabled.",
     "Have the domain's administrator unlock it."},
    {"kerberos-expired", "sign-on", "has run out; run kinit again",
     "The ticket in the cache has run out, and nobody replaced it.",
     "Run kinit again; with source.auth.keytab tickets are replaced in time."},
    {"kerberos-no-keytab", "sign-on", "there is no keytab where source.auth.keytab says",
     "The file is not there.", "Correct the path of source.auth.keytab."},
    {"kerberos-other-ticket", "sign-on", "the ticket cache holds no ticket of",
     "Somebody else signed on there.", "Run kinit as the account in source.auth.principal."},
    {"kerberos-bad-keytab", "sign-on", "the file that source.auth.keytab names is no keytab",
     "The file is damaged, or something else.", "Have it made anew, or correct the path."},
    {"kerberos-no-ticket", "sign-on", "there is no Kerberos ticket",
     "Nobody signed on by kinit as the user as whom pilake runs.",
     "Name a keytab in source.auth.keytab, or run kinit."},
    {"kerberos-refused", "sign-on", "does PI Web API's account have the name",
     "PI Web API runs as an account that has not that service name, its clock is wrong, or the "
     "principal may not sign on.",
     "`setspn -Q HTTP/HOST` must show the service's account, and once only; look at both clocks."},

    {"nothing-granted", "grants", "the configuration selects no point",
     "The identity may read no point, or the masks under `tags` match none.",
     "Have the PI administrator map the identity and grant it read access to the points."},
    {"server-unknown", "grants", "does not show a data server",
     "tags.server is mistyped, or the identity may not see that server.",
     "Correct tags.server to one of the names in the sentence."},
    {"gateway-forbids", "grants", "in front of PI Web API forbids this",
     "A gateway before PI Web API lets this address, method or identity not through.",
     "Have it let through what docs/requests.md lists."},

    {"source-clocks", "clock", "the source's clocks are",
     "The clocks of PI Web API's host and of the Data Archive disagree.",
     "Have both set by NTP; nothing can be called final until then."},

    {"store-second-writer", "store", "lets a second writer overwrite",
     "The store does not keep to conditional writes, so that two commits could both win.",
     "Put the table on a store that does (docs/stores.md)."},
    {"store-bucket", "store", "there is no such bucket or container",
     "The bucket or container does not exist.", "Make it, or correct table.path."},
    {"store-keys", "store", "the store refuses us",
     "The keys are wrong, or not granted for the table's folder.",
     "Correct table.options, or grant list, read, write and delete."},
    {"store-no-keys", "store", "neither table.options nor the environment has keys",
     "No keys were given, and this machine has no role of its own.",
     "Write them into table.options."},

    {"catalog-token", "catalog", "does not accept who we say we are",
     "The catalog's token or client secret is wrong or has run out.",
     "Correct table.catalog.token, or client_id and client_secret."},
    {"catalog-no-place", "catalog", "table.location does not say",
     "The table is not in the catalog, and pilake is not told where to make it.",
     "Write table.location, or make the table in the catalog."},
    {"catalog-managed", "catalog", "is a managed table",
     "The catalog itself keeps that table, and lets nobody else write its files.",
     "Name another table, and table.location for it."},
    {"catalog-missing", "catalog", "or does not show it to us: CREATE",
     "The catalog or schema does not exist, or the identity may not see it.",
     "Create it as the sentence says, grant the use of it, or correct table.path."},
    {"catalog-grant", "catalog", ": GRANT ", "The identity lacks a privilege.",
     "Grant what the sentence names."},

    {"disk", "disk", "cannot write in",
     "The folder may not be written, or cannot be made, by the user as whom pilake runs.",
     "Make it and give it to that user, or correct table.path."},
    {"disk-no-folder", "disk", "Unable to walk dir",
     "Something on the way to table.path is no folder, or may not be entered.",
     "Correct table.path, or the permissions on the way."},
    {"disk-other", "disk", "; choose an empty folder", "The folder holds something else.",
     "Name an empty folder, or one that is not there yet."},
};

}  // namespace

std::span<const Diagnosis> Diagnoses() {
  return kDiagnoses;
}

const Diagnosis* DiagnosisOf(std::string_view sentence) {
  const auto* const found = std::ranges::find_if(kDiagnoses, [&](const Diagnosis& diagnosis) {
    return sentence.find(diagnosis.says) != std::string_view::npos;
  });
  return found == std::end(kDiagnoses) ? nullptr : found;
}

std::string CheckPage() {
  std::string page = R"(# What `pilake check` finds

<!-- Made from the table in src/pipeline/diagnosis.cc by `make docs`; do not edit. -->

`pilake check -c plant1.yaml` tries source, identity, clocks, limits, tags and table in a few calls and changes nothing. Each line is `good`, `doubtful` or `bad`;
a bad one ends with the name of its row below, if it has one, which `--json` gives as `finding`. `run` and `stream` tell the same sentences.
The exit code is 0 if nothing is bad, else that of the first: 2 where the configuration must be changed, 1 where somebody must do something, 5 where another try may help.
)";
  struct Section {
    std::string_view of;
    std::string rows;
  };
  std::vector<Section> sections;  // in the order of the first row of each
  for (const Diagnosis& one : kDiagnoses) {
    auto section = std::ranges::find(sections, one.of, &Section::of);
    if (section == sections.end()) section = sections.insert(section, {.of = one.of, .rows = {}});
    section->rows += fmt::format("| `{}` | {} | {} |\n", one.name, one.cause, one.cure);
  }
  for (const auto& [of, rows] : sections) {
    page += fmt::format("\n## {}\n\n| finding | cause | cure |\n|---|---|---|\n{}", of, rows);
  }
  return page;
}

}  // namespace pilake::pipeline
