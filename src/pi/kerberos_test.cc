// SPDX-License-Identifier: Apache-2.0
// Tickets and tokens themselves are tried against a real KDC, in tests/company.
#include "pi/kerberos.h"

#include <gmock/gmock.h>

#include "core/matchers.h"
#include "pi/gssapi.h"

namespace pilake::pi {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(Gssapi, NamesThePackageWhereTheLibraryIsMissing) {
  const auto library = gss::Load("libgssapi_krb5.so.no-such");
  EXPECT_THAT(library, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(library.error().message, AllOf(HasSubstr("libgssapi-krb5-2"), HasSubstr("krb5-libs"),
                                             HasSubstr("libgssapi_krb5.so.no-such")));
}

TEST(Gssapi, SaysThatALibraryIsNotOfTheRightKind) {
  const auto library = gss::Load("libc.so.6");
  EXPECT_THAT(library, FailsWith(ErrorKind::kInvalid));
  EXPECT_THAT(library.error().message, HasSubstr("too old"));
}

struct Said {
  const char* what;
  const char* text;  ///< as MIT Kerberos says it
  ErrorKind kind;
  const char* cure;
};
class ExplainKerberosOf : public testing::TestWithParam<Said> {};

TEST_P(ExplainKerberosOf, NamesCauseAndCure) {
  const Error error = ExplainKerberos(GetParam().text,
                                      {.host = "pi.example.com",
                                       .service = "",
                                       .keytab = "",
                                       .principal = "reader@PLANT",
                                       .cache = ""},
                                      "HTTP/pi.example.com");
  EXPECT_EQ(error.kind, GetParam().kind);
  EXPECT_THAT(error.message,
              AllOf(HasSubstr("Kerberos for HTTP/pi.example.com as 'reader@PLANT': "),
                    HasSubstr(GetParam().cure), HasSubstr(GetParam().text)));
}

INSTANTIATE_TEST_SUITE_P(
    All, ExplainKerberosOf,
    testing::Values(
        Said{"Skew", "Clock skew too great", ErrorKind::kAuth, "NTP"},
        Said{"NoKdc", "Cannot contact any KDC for realm 'PLANT'", ErrorKind::kUnreachable,
             "firewall (port 88)"},
        Said{"NoRealm", "Cannot find KDC for realm \"PLANT\"", ErrorKind::kAuth, "krb5.conf"},
        Said{"NoClient", "Client 'reader@PLANT' not found in Kerberos database", ErrorKind::kAuth,
             "does not know reader@PLANT"},
        Said{"NoServer", "Server HTTP/pi.example.com@PLANT not found in Kerberos database",
             ErrorKind::kAuth, "setspn -S HTTP/pi.example.com"},
        Said{"OldKey", "Preauthentication failed", ErrorKind::kAuth, "keytab made anew"},
        Said{"Expired", "Ticket expired", ErrorKind::kAuth, "kinit again"},
        Said{"NoTicket", "No Kerberos credentials available (default cache: FILE:/tmp/krb5cc_0)",
             ErrorKind::kAuth, "run kinit as the user"},
        Said{"Locked", "Client's credentials have been revoked", ErrorKind::kAuth, "locked"},
        Said{"Unknown", "Something that nobody foresaw", ErrorKind::kAuth, "nobody foresaw"}),
    [](const auto& param_info) { return std::string(param_info.param.what); });

}  // namespace
}  // namespace pilake::pi
