// SPDX-License-Identifier: Apache-2.0
#include "pi/kerberos.h"

#include <atomic>
#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "pi/gssapi.h"

namespace pilake::pi {
namespace {

// Object identifiers in DER, as GSSAPI wants them.
constexpr std::string_view kSpnego = "\x2b\x06\x01\x05\x05\x02";
constexpr std::string_view kKerberos5 = "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02";
constexpr std::string_view kPrincipalName = "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x01";
constexpr std::string_view kHostService = "\x2a\x86\x48\x86\xf7\x12\x01\x02\x01\x04";

gss::Oid OidOf(std::string_view der) {
  return {static_cast<uint32_t>(der.size()), const_cast<char*>(der.data())};
}

/// What the library lends, given back at the end.
template <typename Thing>
class Lent {
 public:
  using Release = uint32_t (*)(uint32_t*, Thing*);
  explicit Lent(Release release) : release_(release) {}
  ~Lent() {
    uint32_t minor = 0;
    if (thing_ != nullptr) release_(&minor, &thing_);
  }
  Lent(Lent&& other) noexcept
      : release_(other.release_), thing_(std::exchange(other.thing_, nullptr)) {}
  Lent& operator=(Lent&&) = delete;

  Thing get() const { return thing_; }
  Thing* out() { return &thing_; }

 private:
  Release release_;
  Thing thing_ = nullptr;
};

struct Trouble {
  std::string_view sign;  ///< a part of the library's text
  ErrorKind kind;
  const char* sentence;  ///< with {service} and {principal}
};

constexpr Trouble kTroubles[] = {
    {"Clock skew too great", ErrorKind::kAuth,
     "this machine's clock and the KDC's are further apart than Kerberos allows (5 minutes as a "
     "rule); have both set by NTP"},
    {"Cannot contact any KDC", ErrorKind::kUnreachable,
     "no KDC of the realm answers; check its entry in /etc/krb5.conf, DNS and the firewall "
     "(port 88)"},
    {"Cannot find KDC for", ErrorKind::kAuth,
     "this machine does not know where the KDC of the realm is; check the name of the realm, "
     "/etc/krb5.conf and DNS"},
    {"Client", ErrorKind::kAuth,
     "the KDC does not know {principal}; check source.auth.principal and whose key the keytab "
     "holds"},
    {"Server", ErrorKind::kAuth,
     "no KDC knows {service}; have the domain's administrator register it (setspn -S {service} "
     "ACCOUNT) and write source.url with that very host name. Where that realm is another one, it "
     "must be trusted, too"},
    {"Preauthentication failed", ErrorKind::kAuth,
     "the key in the keytab is not the one that {principal} has now; have the keytab made anew"},
    {"Password incorrect", ErrorKind::kAuth,
     "the key in the keytab is not the one that {principal} has now; have the keytab made anew"},
    {"no support for encryption type", ErrorKind::kAuth,
     "KDC and keytab have no kind of encryption in common; have the keytab made anew with AES"},
    {"no suitable keys", ErrorKind::kAuth,
     "the keytab holds no key of {principal}; `klist -k` shows whose it holds"},
    {"No key table entry", ErrorKind::kAuth,
     "the keytab holds no key of {principal}; `klist -k` shows whose it holds"},
    {"Permission denied", ErrorKind::kAuth,
     "the keytab or the ticket cache cannot be read; it must belong to the user as whom pilake "
     "runs"},
    {"revoked", ErrorKind::kAuth,
     "{principal} is locked or disabled; ask the domain's administrator"},
    {"Password has expired", ErrorKind::kAuth,
     "the password has expired of {principal}; ask the domain's administrator"},
    {"xpired", ErrorKind::kAuth,
     "the Kerberos ticket has run out; run kinit again, or name a keytab in "
     "source.auth.keytab so that tickets are replaced in time"},
    {"Key table file", ErrorKind::kAuth, "there is no keytab where source.auth.keytab says"},
    {"Matching credential not found", ErrorKind::kAuth,
     "the ticket cache holds no ticket of {principal}; run kinit as that one"},
    {"does not match desired name", ErrorKind::kAuth,
     "the ticket cache holds no ticket of {principal}; run kinit as that one"},
    {"is no keytab", ErrorKind::kAuth,
     "the file that source.auth.keytab names is no keytab; `klist -k` must be able to read it"},
    {"credentials cache", ErrorKind::kAuth,
     "there is no Kerberos ticket; run kinit as the user as whom pilake runs, or name a keytab in "
     "source.auth.keytab"},
    {"No Kerberos credentials available", ErrorKind::kAuth,
     "there is no Kerberos ticket; run kinit as the user as whom pilake runs, or name a keytab in "
     "source.auth.keytab"},
    {"Cannot find key", ErrorKind::kAuth, "the keytab holds no key of {principal}"},
};

/// What is wrong with a keytab of which no ticket came.
std::string WhyNoKey(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const int error = errno;
  constexpr int kFirstByte = 5;  // of all versions of the format
  if (!file.is_open() && error == ENOENT) return fmt::format("Key table file '{}' not found", path);
  if (!file.is_open()) return fmt::format("'{}': {}", path, std::generic_category().message(error));
  if (file.get() != kFirstByte) return fmt::format("'{}' is no keytab", path);
  return fmt::format("'{}' has no suitable keys", path);
}

/// The library's error texts tell a client and a server of a request apart by their first words.
bool Tells(std::string_view text, std::string_view sign) {
  if (sign == "Client" || sign == "Server") {
    return text.find("not found in Kerberos database") != std::string_view::npos &&
           text.find(sign) != std::string_view::npos;
  }
  return text.find(sign) != std::string_view::npos;
}

class ByGssapi : public Kerberos {
 public:
  ByGssapi(const gss::Library& library, KerberosOptions options, std::string service)
      : library_(library),
        options_(std::move(options)),
        service_(std::move(service)),
        principal_(options_.principal),
        target_(library.release_name),
        wanted_(library.release_name) {
    NameCache();
  }

  Status ImportNames() {
    const bool is_exact = !options_.service.empty();
    RETURN_IF_ERROR(Import(is_exact ? options_.service : "HTTP@" + options_.host,
                           is_exact ? kPrincipalName : kHostService, target_));
    if (options_.principal.empty()) return {};
    return Import(options_.principal, kPrincipalName, wanted_);
  }

  Result<std::string> MakeToken() override {
    auto token = Try(kSpnego);
    if (token) return std::move(*token);
    // SPNEGO does not tell why Kerberos has no credentials; Kerberos itself does.
    auto bare = Try(kKerberos5);
    std::string text = bare ? std::move(token.error()) : std::move(bare.error());
    // With a keytab there is no cache because no ticket came of the keytab, and that is all it
    // says.
    if (!options_.keytab.empty() && text.find("No credentials cache") != std::string::npos) {
      text = WhyNoKey(options_.keytab);
    }
    KerberosOptions known = options_;
    known.principal = principal_;
    return tl::unexpected(ExplainKerberos(text, known, service_));
  }

  bool Forget() override {
    if (!has_own_cache()) return false;
    NameCache();
    return true;
  }

  const std::string& principal() const override { return principal_; }
  const std::string& service() const override { return service_; }

 private:
  using Credential = Lent<gss::Credential>;

  bool has_own_cache() const { return !options_.keytab.empty() && options_.cache.empty(); }

  /// Nobody else in this process has that one.
  void NameCache() {
    static std::atomic<int> number;
    cache_ = has_own_cache() ? fmt::format("MEMORY:pilake-{}", number++) : options_.cache;
  }

  Status Import(std::string text, std::string_view type, Lent<gss::Name>& name) {
    gss::Buffer buffer{text.size(), text.data()};
    gss::Oid oid = OidOf(type);
    uint32_t minor = 0;
    const uint32_t major = library_.import_name(&minor, &buffer, &oid, name.out());
    if (!gss::IsError(major)) return {};
    return Fail(ErrorKind::kInvalid, "source.auth: '{}' is no name that Kerberos knows ({})", text,
                TextOf(major, minor, kKerberos5));
  }

  /// A token of that mechanism, or what the library says.
  tl::expected<std::string, std::string> Try(std::string_view mechanism) {
    Credential credential(library_.release_cred);
    uint32_t minor = 0, ignored = 0;
    uint32_t major = Acquire(mechanism, credential, &minor);
    if (gss::IsError(major)) return tl::unexpected(TextOf(major, minor, mechanism));
    Learn(credential.get());
    gss::Oid oid = OidOf(mechanism);
    gss::Context context = nullptr;
    gss::Buffer output;
    major = library_.init_sec_context(&minor, credential.get(), &context, target_.get(), &oid, 0, 0,
                                      nullptr, nullptr, nullptr, &output, nullptr, nullptr);
    std::string token(static_cast<const char*>(output.value), output.length);
    library_.release_buffer(&ignored, &output);
    if (context != nullptr) library_.delete_sec_context(&ignored, &context, nullptr);
    if (gss::IsError(major)) return tl::unexpected(TextOf(major, minor, mechanism));
    return token;
  }

  uint32_t Acquire(std::string_view mechanism, Credential& credential, uint32_t* minor) const {
    std::vector<gss::KeyValue> places;
    if (!options_.keytab.empty()) places.push_back({"client_keytab", options_.keytab.c_str()});
    if (!cache_.empty()) places.push_back({"ccache", cache_.c_str()});
    const gss::KeyValueSet store{static_cast<uint32_t>(places.size()), places.data()};
    gss::Oid wanted = OidOf(mechanism), kerberos = OidOf(kKerberos5);
    gss::OidSet mechanisms{1, &wanted};
    const uint32_t major = library_.acquire_cred_from(
        minor, wanted_.get(), gss::kIndefinite, &mechanisms, gss::kInitiate,
        places.empty() ? nullptr : &store, credential.out(), nullptr, nullptr);
    if (gss::IsError(major) || mechanism != kSpnego) return major;
    // NTLM, which a plug-in may add, is another way to sign on.
    const gss::OidSet negotiable{1, &kerberos};
    return library_.set_neg_mechs(minor, credential.get(), &negotiable);
  }

  /// Whose credential it is.
  void Learn(gss::Credential credential) {
    Lent<gss::Name> name(library_.release_name);
    gss::Buffer text;
    uint32_t minor = 0;
    if (gss::IsError(
            library_.inquire_cred(&minor, credential, name.out(), nullptr, nullptr, nullptr)) ||
        name.get() == nullptr ||
        gss::IsError(library_.display_name(&minor, name.get(), &text, nullptr))) {
      return;
    }
    principal_.assign(static_cast<const char*>(text.value), text.length);
    library_.release_buffer(&minor, &text);
  }

  /// All that the library has to say.
  std::string TextOf(uint32_t major, uint32_t minor, std::string_view mechanism) const {
    std::string text;
    const auto append = [&](uint32_t code, int kind) {
      gss::Oid oid = OidOf(mechanism);
      uint32_t ignored = 0, more = 0;
      do {
        gss::Buffer part;
        if (gss::IsError(library_.display_status(&ignored, code, kind, &oid, &more, &part))) return;
        if (!text.empty()) text += ": ";
        text.append(static_cast<const char*>(part.value), part.length);
        library_.release_buffer(&ignored, &part);
      } while (more != 0);
    };
    append(major, gss::kMajorCode);
    if (minor != 0) append(minor, gss::kMinorCode);
    return text;
  }

  const gss::Library library_;
  const KerberosOptions options_;
  const std::string service_;
  std::string principal_;
  std::string cache_;
  Lent<gss::Name> target_;
  Lent<gss::Name> wanted_;  // null: whoever the credentials are of
};

std::string With(std::string sentence, std::string_view mark, std::string_view text) {
  for (size_t at = 0; (at = sentence.find(mark, at)) != std::string::npos; at += text.size()) {
    sentence.replace(at, mark.size(), text);
  }
  return sentence;
}

}  // namespace

Result<std::unique_ptr<Kerberos>> Kerberos::Make(KerberosOptions options) {
  ASSIGN_OR_RETURN(const gss::Library library, gss::Load());
  std::string service = options.service.empty() ? "HTTP/" + options.host : options.service;
  auto kerberos = std::make_unique<ByGssapi>(library, std::move(options), std::move(service));
  RETURN_IF_ERROR(kerberos->ImportNames());
  return kerberos;
}

Error ExplainKerberos(std::string_view text, const KerberosOptions& options,
                      std::string_view service) {
  const std::string nameless =
      options.keytab.empty() ? "whoever has a ticket" : "the keytab's account";
  const bool is_known = !options.principal.empty();
  const std::string& principal = is_known ? options.principal : nameless;
  const std::string where =
      fmt::format("Kerberos for {} as {}", service, is_known ? "'" + principal + "'" : nameless);
  for (const Trouble& trouble : kTroubles) {
    if (!Tells(text, trouble.sign)) continue;
    const std::string sentence =
        With(With(trouble.sentence, "{service}", service), "{principal}", principal);
    return {trouble.kind, fmt::format("{}: {} ({})", where, sentence, text)};
  }
  return {ErrorKind::kAuth, fmt::format("{}: {}", where, text)};
}

}  // namespace pilake::pi
