// SPDX-License-Identifier: Apache-2.0
#include "pi/gssapi.h"

#include <dlfcn.h>

namespace pilake::pi::gss {
namespace {

template <typename Function>
bool Find(void* library, const char* name, Function*& function) {
  function = reinterpret_cast<Function*>(dlsym(library, name));
  return function != nullptr;
}

}  // namespace

Result<Library> Load(const char* file_name) {
  void* const handle = dlopen(file_name, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    return Fail(ErrorKind::kInvalid,
                "source.auth.kind kerberos needs the system's Kerberos library {}, which is not "
                "here; install the package libgssapi-krb5-2 (Debian, Ubuntu) or krb5-libs (Red "
                "Hat, SUSE: krb5)",
                file_name);
  }
  Library library{};
  const bool has_all = Find(handle, "gss_import_name", library.import_name) &&
                       Find(handle, "gss_display_name", library.display_name) &&
                       Find(handle, "gss_release_name", library.release_name) &&
                       Find(handle, "gss_acquire_cred_from", library.acquire_cred_from) &&
                       Find(handle, "gss_inquire_cred", library.inquire_cred) &&
                       Find(handle, "gss_release_cred", library.release_cred) &&
                       Find(handle, "gss_set_neg_mechs", library.set_neg_mechs) &&
                       Find(handle, "gss_init_sec_context", library.init_sec_context) &&
                       Find(handle, "gss_delete_sec_context", library.delete_sec_context) &&
                       Find(handle, "gss_display_status", library.display_status) &&
                       Find(handle, "gss_release_buffer", library.release_buffer);
  if (!has_all) {
    return Fail(ErrorKind::kInvalid,
                "the Kerberos library {} of this machine is too old: MIT Kerberos 1.11 or newer is "
                "needed",
                file_name);
  }
  return library;
}

}  // namespace pilake::pi::gss
