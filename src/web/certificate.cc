// SPDX-License-Identifier: Apache-2.0
// A throw-away certificate authority, for servers that have no certificate of their own.
#include "web/certificate.h"

#include <memory>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace pilake::web {
namespace {

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Memory = std::unique_ptr<BIO, Freer<BIO_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>>;

Key NewKey() {
  return Key(EVP_EC_gen("P-256"));
}

bool SetTime(ASN1_TIME* field, UtcTime time) {
  return ASN1_TIME_set(field, time.ticks / 10'000'000) != nullptr;
}

bool AddExtension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

struct Subject {
  const char* name;
  int64_t serial;
  const char* basic_constraints;
  const char* key_usage;
  const char* alternative_names;  // null: none
};

// `issuer` null: signed by itself.
Certificate NewCertificate(const Subject& subject, EVP_PKEY* key, X509* issuer,
                           EVP_PKEY* issuer_key, TimeRange validity) {
  Certificate certificate(X509_new());
  X509* x = certificate.get();
  if (x == nullptr) return nullptr;
  X509_NAME* name = X509_get_subject_name(x);
  const auto* text = reinterpret_cast<const unsigned char*>(subject.name);
  bool ok = X509_set_version(x, X509_VERSION_3) == 1 &&
            ASN1_INTEGER_set_int64(X509_get_serialNumber(x), subject.serial) == 1 &&
            SetTime(X509_getm_notBefore(x), validity.begin) &&
            SetTime(X509_getm_notAfter(x), validity.end) && X509_set_pubkey(x, key) == 1 &&
            X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0) == 1;
  X509* signer = issuer == nullptr ? x : issuer;
  ok = ok && X509_set_issuer_name(x, X509_get_subject_name(signer)) == 1 &&
       AddExtension(x, signer, NID_basic_constraints, subject.basic_constraints) &&
       AddExtension(x, signer, NID_key_usage, subject.key_usage) &&
       AddExtension(x, signer, NID_subject_key_identifier, "hash");
  if (ok && subject.alternative_names != nullptr) {
    ok = AddExtension(x, signer, NID_subject_alt_name, subject.alternative_names);
  }
  ok = ok && X509_sign(x, issuer_key, EVP_sha256()) != 0;
  return ok ? std::move(certificate) : nullptr;
}

std::string Text(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  return {data, static_cast<size_t>(size)};
}

std::string Pem(X509* certificate) {
  const Memory memory(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(memory.get(), certificate);
  return Text(memory.get());
}

std::string Pem(EVP_PKEY* key) {
  const Memory memory(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(memory.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return Text(memory.get());
}

}  // namespace

Result<GeneratedIdentity> GenerateIdentity(TimeRange validity) {
  // The authority outlives the certificate, so that an expired certificate is what has expired.
  const TimeRange authority_validity = {validity.begin - Duration::Days(1),
                                        validity.end + Duration::Days(3650)};
  const Key authority_key = NewKey(), key = NewKey();
  if (authority_key == nullptr || key == nullptr) {
    return Fail(ErrorKind::kInternal, "no key could be generated");
  }
  const Certificate authority =
      NewCertificate({"pilake simulator CA", validity.begin.ticks, "critical,CA:TRUE",
                      "critical,keyCertSign,cRLSign", nullptr},
                     authority_key.get(), nullptr, authority_key.get(), authority_validity);
  if (authority == nullptr)
    return Fail(ErrorKind::kInternal, "no certificate authority could be made");
  const Certificate certificate =
      NewCertificate({"localhost", validity.begin.ticks + 1, "critical,CA:FALSE",
                      "critical,digitalSignature", "DNS:localhost,IP:127.0.0.1,IP:::1"},
                     key.get(), authority.get(), authority_key.get(), validity);
  if (certificate == nullptr) return Fail(ErrorKind::kInternal, "no certificate could be signed");
  return GeneratedIdentity{Pem(authority.get()), {Pem(certificate.get()), Pem(key.get())}};
}

}  // namespace pilake::web
