// SPDX-License-Identifier: Apache-2.0
#include "web/certificate.h"

#include <gmock/gmock.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "core/clock.h"
#include "core/matchers.h"

namespace pilake::web {
namespace {

X509* Read(const std::string& pem) {
  BIO* memory = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  X509* certificate = PEM_read_bio_X509(memory, nullptr, nullptr, nullptr);
  BIO_free(memory);
  return certificate;
}

// What OpenSSL says of the certificate when it trusts the authority.
int Verify(const GeneratedIdentity& generated) {
  X509* authority = Read(generated.ca_pem);
  X509* certificate = Read(generated.identity.certificate_pem);
  X509_STORE* store = X509_STORE_new();
  X509_STORE_add_cert(store, authority);
  X509_STORE_CTX* context = X509_STORE_CTX_new();
  X509_STORE_CTX_init(context, store, certificate, nullptr);
  X509_verify_cert(context);
  const int error = X509_STORE_CTX_get_error(context);
  X509_STORE_CTX_free(context);
  X509_STORE_free(store);
  X509_free(certificate);
  X509_free(authority);
  return error;
}

TimeRange Around(UtcTime now) {
  return {now - Duration::Days(1), now + Duration::Days(1)};
}

TEST(GenerateIdentity, MakesACertificateThatItsAuthorityVouchesFor) {
  const auto generated = GenerateIdentity(Around(SystemClock().Now()));
  ASSERT_THAT(generated, IsOk());
  EXPECT_EQ(Verify(*generated), X509_V_OK);
}

TEST(GenerateIdentity, MakesAnExpiredCertificateOfALivingAuthority) {
  const auto generated = GenerateIdentity(Around(SystemClock().Now() - Duration::Days(5)));
  ASSERT_THAT(generated, IsOk());
  EXPECT_EQ(Verify(*generated), X509_V_ERR_CERT_HAS_EXPIRED);
}

TEST(GenerateIdentity, NamesTheLoopback) {
  const auto generated = GenerateIdentity(Around(SystemClock().Now()));
  ASSERT_THAT(generated, IsOk());
  X509* certificate = Read(generated->identity.certificate_pem);
  EXPECT_EQ(X509_check_host(certificate, "localhost", 0, 0, nullptr), 1);
  EXPECT_EQ(X509_check_ip_asc(certificate, "127.0.0.1", 0), 1);
  EXPECT_EQ(X509_check_host(certificate, "example.com", 0, 0, nullptr), 0);
  X509_free(certificate);
}

TEST(Server, RefusesACertificateThatIsNone) {
  Options options;
  options.tls = TlsIdentity{"no certificate", "no key"};
  EXPECT_THAT(Server::Start(std::move(options), [](const Request&) { return Response{}; }),
              FailsWith(ErrorKind::kInvalid));
}

}  // namespace
}  // namespace pilake::web
