// SPDX-License-Identifier: Apache-2.0
// The only file that knows libcurl.
#include "pi/http.h"

#include <signal.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <fstream>
#include <iterator>
#include <mutex>
#include <system_error>
#include <utility>

#include <curl/curl.h>
#include <fmt/format.h>
#include <pthread.h>

#include "core/http_status.h"
#include "pi/error_text.h"

namespace pilake::pi {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

// Time-outs guard a socket, which lives in real time even when the archive's time is simulated.
SteadyTime SteadyNow() {
  return std::chrono::steady_clock::now();
}

constexpr size_t kPadding = 64;  // bytes that simdjson may read behind the text
constexpr size_t kReceiveBytes = size_t{512} * 1024;  // a read of curl's; its largest

struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeMulti {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
struct FreeShare {
  void operator()(CURLSH* share) const { curl_share_cleanup(share); }
};
using Easy = std::unique_ptr<CURL, FreeEasy>;
using Multi = std::unique_ptr<CURLM, FreeMulti>;
using HeaderList = std::unique_ptr<curl_slist, FreeList>;
using Url = std::unique_ptr<CURLU, FreeUrl>;
using Share = std::unique_ptr<CURLSH, FreeShare>;

struct Host {
  std::string scheme;
  std::string name;
  std::string name_and_port;  ///< for messages

  bool is_loopback() const {
    return name == "localhost" || name == "[::1]" || name.starts_with("127.");
  }
};

std::string Part(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return {};
  std::string copy(text);
  curl_free(text);
  return copy;
}

/// The host of a base URL. The URL itself is never printed before it is known to hold no password.
Result<Host> ReadBaseUrl(const std::string& text) {
  const Url url(curl_url());
  if (curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) {
    return Fail(ErrorKind::kInvalid,
                "source.url is not a URL; write it as https://pi.example.com/piwebapi");
  }
  if (!Part(url.get(), CURLUPART_USER).empty() || !Part(url.get(), CURLUPART_PASSWORD).empty()) {
    return Fail(ErrorKind::kInvalid,
                "source.url holds a user name or password; put them under source.auth");
  }
  Host host;
  host.scheme = Part(url.get(), CURLUPART_SCHEME);
  host.name = Part(url.get(), CURLUPART_HOST);
  host.name_and_port =
      fmt::format("{}:{}", host.name, Part(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT));
  if (host.scheme != "https" && host.scheme != "http") {
    return Fail(ErrorKind::kInvalid, "source.url '{}' must begin with https://", text);
  }
  if (!Part(url.get(), CURLUPART_QUERY).empty() || !Part(url.get(), CURLUPART_FRAGMENT).empty()) {
    return Fail(ErrorKind::kInvalid,
                "source.url '{}' must end with its path, as in https://pi.example.com/piwebapi",
                text);
  }
  return host;
}

bool HasControlCharacter(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; });
}

Status CheckAuth(const AuthOptions& auth) {
  if (HasControlCharacter(auth.username) || HasControlCharacter(auth.password) ||
      HasControlCharacter(auth.token)) {
    return Fail(
        ErrorKind::kInvalid,
        "source.auth: user name, password or token holds a line break or control character");
  }
  if (auth.kind == AuthOptions::Kind::kBasic) {
    if (auth.username.empty()) return Fail(ErrorKind::kInvalid, "source.auth.username is empty");
    if (auth.username.find(':') != std::string::npos) {
      return Fail(ErrorKind::kInvalid, "source.auth.username '{}' must not hold a colon",
                  auth.username);
    }
  }
  if (auth.kind == AuthOptions::Kind::kBearer && auth.token.empty()) {
    return Fail(ErrorKind::kInvalid, "source.auth.token is empty");
  }
  return {};
}

std::string Identity(const AuthOptions& auth) {
  switch (auth.kind) {
    case AuthOptions::Kind::kAnonymous:
      return "a caller without credentials";
    case AuthOptions::Kind::kBasic:
      return fmt::format("user '{}'", auth.username);
    case AuthOptions::Kind::kBearer:
      return "the bearer token";
  }
  return {};
}

Result<std::string> ReadCaFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || file.bad()) {
    return Fail(ErrorKind::kInvalid, "trust.ca: cannot read {}: {}", path,
                std::generic_category().message(errno));
  }
  if (text.find("-----BEGIN CERTIFICATE-----") == std::string::npos) {
    return Fail(ErrorKind::kInvalid, "trust.ca: {} holds no certificate in PEM form", path);
  }
  return text + '\n';
}

/// The operator's CAs and the system's, as one PEM text; empty = the system's alone.
Result<std::string> ReadTrust(const std::vector<std::string>& ca_files) {
  std::string trust;
  for (const std::string& path : ca_files) {
    ASSIGN_OR_RETURN(const std::string text, ReadCaFile(path));
    trust += text;
  }
  if (trust.empty()) return trust;
  // A blob replaces the default bundle (not the default folder), so the bundle goes in as well.
  const curl_version_info_data* version = curl_version_info(CURLVERSION_NOW);
  if (version->capath == nullptr && version->cainfo != nullptr) {
    if (const auto system = ReadCaFile(version->cainfo)) trust += *system;
  }
  return trust;
}

/// What OpenSSL's verification found, as cause and cure.
std::string DescribeDistrust(long verify_result, const Host& host) {
  constexpr long kNotYetValid = 9, kExpired = 10, kSelfSigned = 18, kSelfSignedInChain = 19,
                 kIssuerUnknown = 20, kLeafUnverified = 21;
  switch (verify_result) {
    case kExpired:
      return fmt::format(
          "the certificate of {} has expired; its administrator must renew it (or "
          "this machine's clock is wrong)",
          host.name_and_port);
    case kNotYetValid:
      return fmt::format("the certificate of {} is not valid yet; is this machine's clock right?",
                         host.name_and_port);
    case kSelfSigned:
    case kSelfSignedInChain:
    case kIssuerUnknown:
    case kLeafUnverified:
      return fmt::format(
          "the certificate of {} comes from an authority that is not known here; add "
          "that authority's PEM file to trust.ca",
          host.name_and_port);
    default:
      return fmt::format("the certificate of {} cannot be trusted (is it made for another name?)",
                         host.name_and_port);
  }
}

Duration Micros(CURL* easy, CURLINFO what) {
  curl_off_t micros = 0;
  curl_easy_getinfo(easy, what, &micros);
  return Duration::Micros(micros);
}

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/// The value of the header `line` if it is called `name` (lower case).
std::optional<std::string_view> HeaderValue(std::string_view line, std::string_view name) {
  if (line.size() <= name.size() || line[name.size()] != ':') return std::nullopt;
  for (size_t i = 0; i < name.size(); ++i) {
    const char lower = line[i] >= 'A' && line[i] <= 'Z' ? static_cast<char>(line[i] + 32) : line[i];
    if (lower != name[i]) return std::nullopt;
  }
  std::string_view value = line.substr(name.size() + 1);
  while (!value.empty() && IsSpace(value.front())) value.remove_prefix(1);
  while (!value.empty() && IsSpace(value.back())) value.remove_suffix(1);
  return value;
}

/// One request under way, with the curl handle it reuses.
struct Transfer {
  Easy easy;
  HeaderList headers;
  HttpRequest request;
  HttpDone done;
  HttpResponse response;
  int64_t body_bytes_max = 0;
  size_t page_bytes = 0;       // what a page of data has had of late
  bool headers_ended = false;  // the empty line behind the headers came
  bool body_too_large = false;
  SteadyTime last_byte;
  std::array<char, CURL_ERROR_SIZE> error_text{};
};

size_t OnHeader(char* data, size_t size, size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const std::string_view line(data, size * count);
  transfer.last_byte = SteadyNow();
  if (line.starts_with("HTTP/")) {  // a response begins; the one before was a 1xx or a proxy's
    transfer.headers_ended = false;
    transfer.response.challenges.clear();
    transfer.response.location.clear();
  } else if (line == "\r\n" || line == "\n") {
    transfer.headers_ended = true;
  } else if (const auto challenge = HeaderValue(line, "www-authenticate")) {
    std::string& all = transfer.response.challenges;
    if (!all.empty()) all += ", ";
    all += challenge->substr(0, 100);
  } else if (const auto location = HeaderValue(line, "location")) {
    transfer.response.location = location->substr(0, 200);
  }
  return line.size();
}

// An answer beyond it is taken for a page of data; those are alike.
constexpr size_t kPageBytesMin = size_t{256} * 1024;

/// Makes room for `more` bytes and the padding: at once for the announced length or for what pages
/// have had of late, else by doubling.
void MakeRoom(Transfer& transfer, size_t more) {
  std::string& body = transfer.response.body;
  const size_t needed = body.size() + more + kPadding;
  if (needed <= body.capacity()) return;
  curl_off_t announced = -1;
  curl_easy_getinfo(transfer.easy.get(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
  size_t wanted = body.capacity() * 2;
  if (body.empty() && announced > 0) {
    wanted =
        static_cast<size_t>(std::min<curl_off_t>(announced, transfer.body_bytes_max)) + kPadding;
  } else if (wanted > kPageBytesMin) {
    wanted = std::max(wanted, transfer.page_bytes);
  }
  body.reserve(std::max(needed, wanted));
}

size_t OnBody(char* data, size_t size, size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const size_t bytes = size * count;
  transfer.last_byte = SteadyNow();
  if (transfer.response.body.size() + bytes > static_cast<size_t>(transfer.body_bytes_max)) {
    transfer.body_too_large = true;
    return 0;  // ends the transfer
  }
  MakeRoom(transfer, bytes);
  transfer.response.body.append(data, bytes);
  return bytes;
}

/// The URL for messages: without the query, which can be 8 KB of WebIDs.
std::string Shown(const std::string& base_url, std::string_view target) {
  constexpr size_t kShownMax = 300;
  return (base_url + std::string(target.substr(0, target.find('?')))).substr(0, kShownMax);
}

/// While it lives, a write to a closed socket is an error of its thread and not the end of the
/// process: OpenSSL writes without the flag that says so.
class NoSigpipe {
 public:
  NoSigpipe() {
    sigemptyset(&sigpipe_);
    sigaddset(&sigpipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
  }
  ~NoSigpipe() {
    if (sigismember(&before_, SIGPIPE) == 0) {
      const timespec no_time{};
      while (sigtimedwait(&sigpipe_, nullptr, &no_time) > 0) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoSigpipe(const NoSigpipe&) = delete;
  NoSigpipe& operator=(const NoSigpipe&) = delete;

 private:
  sigset_t sigpipe_{}, before_{};
};

void InitCurlOnce() {
  static const CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);
  assert(result == CURLE_OK);
  (void)result;
}

}  // namespace

class HttpLoop::Impl {
 public:
  Impl(HttpOptions options, Host host, std::string trust)
      : options_(std::move(options)),
        host_(std::move(host)),
        trust_(std::move(trust)),
        identity_(Identity(options_.auth)),
        cookies_(curl_share_init()),
        multi_(curl_multi_init()) {
    curl_share_setopt(cookies_.get(), CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE);
    curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, long{options_.connections_max});
    curl_multi_setopt(multi_.get(), CURLMOPT_PIPELINING, long{CURLPIPE_NOTHING});
  }

  ~Impl() {
    const NoSigpipe guard;
    CancelAll();
    multi_.reset();  // says farewell on open TLS connections
  }

  void Run(const std::stop_token& stop) {
    const NoSigpipe guard;
    const std::stop_callback wake(stop, [this] { curl_multi_wakeup(multi_.get()); });
    while (!stop.stop_requested()) {
      StartWaiting();
      int running = 0;
      curl_multi_perform(multi_.get(), &running);
      const bool any_finished = FinishDone();
      FailStalled();
      if (!any_finished) curl_multi_poll(multi_.get(), nullptr, 0, PollMillis(), nullptr);
    }
    CancelAll();
  }

  void Send(HttpRequest request, HttpDone done) {
    {
      const std::scoped_lock lock(mutex_);
      if (!has_ended_) {
        waiting_.push_back({std::move(request), std::move(done)});
        curl_multi_wakeup(multi_.get());
        return;
      }
    }
    done(Cancelled());
  }

  const std::string& url() const { return options_.url; }

 private:
  struct Waiting {
    HttpRequest request;
    HttpDone done;
  };

  static tl::unexpected<Error> Cancelled() {
    return Fail(ErrorKind::kCancelled, "the transfer was stopped");
  }

  std::optional<Waiting> TakeWaiting() {
    const std::scoped_lock lock(mutex_);
    if (waiting_.empty()) return std::nullopt;
    Waiting first = std::move(waiting_.front());
    waiting_.pop_front();
    return first;
  }

  void StartWaiting() {
    while (open_.size() < static_cast<size_t>(options_.connections_max)) {
      auto waiting = TakeWaiting();
      if (!waiting) return;
      Start(std::move(*waiting));
    }
  }

  void Start(Waiting waiting) {
    auto transfer = std::make_unique<Transfer>();
    // A handle of its own for each call: one that is reset leaks what it was told of cookies (curl
    // 7.88). Connections belong to the multi handle and are kept all the same.
    transfer->easy.reset(curl_easy_init());
    transfer->request = std::move(waiting.request);
    transfer->done = std::move(waiting.done);
    transfer->response.url = Shown(options_.url, transfer->request.target);
    transfer->response.identity = identity_;
    transfer->body_bytes_max = options_.body_bytes_max;
    transfer->page_bytes = page_bytes_;
    transfer->last_byte = SteadyNow();
    SetOptions(*transfer);
    curl_multi_add_handle(multi_.get(), transfer->easy.get());
    open_.push_back(std::move(transfer));
  }

  void SetOptions(Transfer& transfer) {
    CURL* easy = transfer.easy.get();
    SetTransport(easy);
    SetCookies(easy);
    SetTrust(easy);
    SetAuth(easy);
    SetRequest(transfer);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer.error_text.data());
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, OnHeader);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, OnBody);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  }

  void SetTransport(CURL* easy) {
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, long{kReceiveBytes});
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, Millis(options_.connect_timeout));
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, Millis(options_.total_timeout));
    if (options_.gzip) curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    if (!options_.proxy.empty()) {
      curl_easy_setopt(easy, CURLOPT_PROXY, options_.proxy.c_str());
    } else if (host_.is_loopback()) {
      curl_easy_setopt(easy, CURLOPT_PROXY, "");
    }
  }

  /// All transfers share the cookies, so that a load balancer which sets one sends all of them to
  /// the same member, and two members' answers are not mixed.
  void SetCookies(CURL* easy) {
    curl_easy_setopt(easy, CURLOPT_SHARE, cookies_.get());
    curl_easy_setopt(easy, CURLOPT_COOKIEFILE, "");
  }

  void SetTrust(CURL* easy) {
    if (trust_.empty()) return;
    curl_blob blob{trust_.data(), trust_.size(), CURL_BLOB_NOCOPY};
    curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
  }

  void SetAuth(CURL* easy) {
    const AuthOptions& auth = options_.auth;
    if (auth.kind == AuthOptions::Kind::kBasic) {
      curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
      curl_easy_setopt(easy, CURLOPT_USERNAME, auth.username.c_str());
      curl_easy_setopt(easy, CURLOPT_PASSWORD, auth.password.c_str());
    } else if (auth.kind == AuthOptions::Kind::kBearer) {
      curl_easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
      curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, auth.token.c_str());
    }
  }

  void SetRequest(Transfer& transfer) {
    CURL* easy = transfer.easy.get();
    const HttpRequest& request = transfer.request;
    curl_easy_setopt(easy, CURLOPT_URL, (options_.url + request.target).c_str());
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "pilake/" PILAKE_VERSION);
    AddHeader(transfer, "Accept: application/json");
    if (request.method == HttpRequest::Method::kPost) {
      AddHeader(transfer, "Content-Type: application/json");
      AddHeader(transfer, "X-Requested-With: pilake");  // or it counts as forged (wire §1.2)
      AddHeader(transfer, "Expect:");
      curl_easy_setopt(easy, CURLOPT_POST, 1L);
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
      curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                       static_cast<curl_off_t>(request.body.size()));
    }
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer.headers.get());
  }

  static void AddHeader(Transfer& transfer, const char* header) {
    transfer.headers.reset(curl_slist_append(transfer.headers.release(), header));
  }

  static long Millis(Duration duration) { return static_cast<long>(duration.ticks / 10'000); }

  /// True if any transfer came to its end, so that there may be room for the next.
  bool FinishDone() {
    bool any = false;
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      char* self = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &self);
      Finish(*reinterpret_cast<Transfer*>(self), code);
      any = true;
    }
    return any;
  }

  void Finish(const Transfer& which, CURLcode code) {
    std::unique_ptr<Transfer> transfer = Close(which);
    if (code != CURLE_OK) {
      transfer->done(tl::unexpected(FromCurl(code, *transfer)));
    } else if (!transfer->headers_ended) {
      transfer->done(Fail(ErrorKind::kTransient, "{}: the answer was cut short in its headers",
                          transfer->response.url));
    } else {
      CollectFigures(*transfer);
      const size_t bytes = transfer->response.body.size();
      if (bytes > kPageBytesMin) page_bytes_ = bytes + bytes / 8;
      transfer->done(std::move(transfer->response));
    }
  }

  /// Takes the transfer off curl's hands and out of `open_`.
  std::unique_ptr<Transfer> Close(const Transfer& which) {
    const auto found = std::find_if(open_.begin(), open_.end(),
                                    [&](const auto& open) { return open.get() == &which; });
    assert(found != open_.end());
    std::unique_ptr<Transfer> transfer = std::move(*found);
    open_.erase(found);
    curl_multi_remove_handle(multi_.get(), transfer->easy.get());
    return transfer;
  }

  static void CollectFigures(Transfer& transfer) {
    CURL* easy = transfer.easy.get();
    HttpResponse& response = transfer.response;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &response.status);
    const char* content_type = nullptr;
    curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &content_type);
    if (content_type != nullptr) response.content_type = content_type;
    curl_off_t count = 0;
    curl_easy_getinfo(easy, CURLINFO_SIZE_DOWNLOAD_T, &count);
    response.wire_bytes = count;
    response.total_time = Micros(easy, CURLINFO_TOTAL_TIME_T);
    response.server_time =
        Micros(easy, CURLINFO_STARTTRANSFER_TIME_T) - Micros(easy, CURLINFO_PRETRANSFER_TIME_T);
    curl_off_t seconds = 0;
    curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &seconds);
    constexpr curl_off_t kDay = 86'400;
    if (seconds > 0) response.retry_after = Duration::Seconds(std::min(seconds, kDay));
  }

  static bool WasConnected(CURL* easy) {
    return Micros(easy, CURLINFO_PRETRANSFER_TIME_T) > Duration{};
  }

  void FailStalled() {
    const SteadyTime now = SteadyNow();
    for (size_t i = 0; i < open_.size();) {
      Transfer& transfer = *open_[i];
      const bool is_stalled = now - transfer.last_byte > options_.stall_timeout.chrono() &&
                              WasConnected(transfer.easy.get());
      if (!is_stalled) {
        ++i;
        continue;
      }
      const std::unique_ptr<Transfer> failed = Close(transfer);
      failed->done(Fail(ErrorKind::kTimedOut,
                        "{}: the server sent nothing for {} (source.timeouts.stall)",
                        failed->response.url, DescribeDuration(options_.stall_timeout)));
    }
  }

  /// Until the next stall could be; curl keeps its own time-outs beside this.
  int PollMillis() const {
    int64_t millis = 1000;
    const SteadyTime now = SteadyNow();
    for (const auto& transfer : open_) {
      const auto left = transfer->last_byte + options_.stall_timeout.chrono() - now;
      millis =
          std::min(millis, std::chrono::duration_cast<std::chrono::milliseconds>(left).count() + 1);
    }
    return static_cast<int>(std::max<int64_t>(millis, 1));
  }

  void CancelAll() {
    std::deque<Waiting> waiting;
    {
      const std::scoped_lock lock(mutex_);
      has_ended_ = true;
      waiting.swap(waiting_);
    }
    while (!open_.empty()) Close(*open_.back())->done(Cancelled());
    for (const Waiting& never_sent : waiting) never_sent.done(Cancelled());
  }

  /// The border where curl's failures become ours.
  Error FromCurl(CURLcode code, const Transfer& transfer) const;
  Error TimedOut(const Transfer& transfer) const;
  Error NoTls(std::string_view detail) const;

  // Constant after construction.
  const HttpOptions options_;
  const Host host_;
  std::string trust_;
  const std::string identity_;

  // Of the loop's thread; curl_multi_wakeup alone may be called from others.
  Share cookies_;  // outlives the transfers
  Multi multi_;
  std::vector<std::unique_ptr<Transfer>> open_;
  size_t page_bytes_ = 0;

  std::mutex mutex_;
  std::deque<Waiting> waiting_;  // guarded by mutex_
  bool has_ended_ = false;       // guarded by mutex_
};

Error HttpLoop::Impl::FromCurl(CURLcode code, const Transfer& transfer) const {
  const std::string& host = host_.name_and_port;
  const std::string& url = transfer.response.url;
  const std::string detail = transfer.error_text[0] != '\0'
                                 ? std::string(transfer.error_text.data())
                                 : curl_easy_strerror(code);
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return {
          ErrorKind::kUnreachable,
          fmt::format("no address is known for host '{}'; check source.url and this machine's DNS",
                      host_.name)};
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY:
      return {
          ErrorKind::kUnreachable,
          fmt::format("cannot get to {} through the proxy ({}); check source.proxy", host, detail)};
    case CURLE_COULDNT_CONNECT:
      return {ErrorKind::kUnreachable,
              fmt::format("nothing accepts connections at {} ({}); is PI Web API running there and "
                          "the port open?",
                          host, detail)};
    case CURLE_OPERATION_TIMEDOUT:
      return TimedOut(transfer);
    case CURLE_PEER_FAILED_VERIFICATION: {
      long verify_result = 0;
      curl_easy_getinfo(transfer.easy.get(), CURLINFO_SSL_VERIFYRESULT, &verify_result);
      return {ErrorKind::kInvalid,
              fmt::format("{} ({})", DescribeDistrust(verify_result, host_), detail)};
    }
    case CURLE_SSL_CACERT_BADFILE:
      return {ErrorKind::kInvalid, fmt::format("trust.ca cannot be used: {}", detail)};
    case CURLE_SSL_CONNECT_ERROR:
      return NoTls(detail);
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_HTTP2:
      return {ErrorKind::kMalformed,
              fmt::format("what answers at {} does not speak HTTP ({}); check source.url", host,
                          detail)};
    case CURLE_URL_MALFORMAT:
      return {ErrorKind::kInvalid, fmt::format("{} is not a URL that can be asked for", url)};
    case CURLE_WRITE_ERROR:
      if (!transfer.body_too_large) break;
      return {ErrorKind::kTooLarge,
              fmt::format("{}: the answer is larger than {} bytes", url, options_.body_bytes_max)};
    case CURLE_OUT_OF_MEMORY:
    case CURLE_FAILED_INIT:
    case CURLE_BAD_FUNCTION_ARGUMENT:
      return {ErrorKind::kInternal, fmt::format("{}: {}", url, detail)};
    default:
      break;
  }
  return {ErrorKind::kTransient, fmt::format("{}: the transfer was cut short ({})", url, detail)};
}

Error HttpLoop::Impl::TimedOut(const Transfer& transfer) const {
  if (WasConnected(transfer.easy.get())) {
    return {ErrorKind::kTimedOut,
            fmt::format("{}: not answered in full within {} (source.timeouts.total)",
                        transfer.response.url, DescribeDuration(options_.total_timeout))};
  }
  return {ErrorKind::kUnreachable,
          fmt::format("{} does not answer within {}; is a firewall in between?",
                      host_.name_and_port, DescribeDuration(options_.connect_timeout))};
}

Error HttpLoop::Impl::NoTls(std::string_view detail) const {
  if (detail.find("wrong version number") != std::string_view::npos) {
    return {
        ErrorKind::kInvalid,
        fmt::format("{} does not speak TLS; is the port right, or is source.url an http:// one?",
                    host_.name_and_port)};
  }
  return {ErrorKind::kUnreachable,
          fmt::format("no TLS connection to {} ({})", host_.name_and_port, detail)};
}

Result<std::unique_ptr<HttpLoop>> HttpLoop::Make(HttpOptions options) {
  InitCurlOnce();
  while (options.url.ends_with('/')) options.url.pop_back();
  ASSIGN_OR_RETURN(Host host, ReadBaseUrl(options.url));
  RETURN_IF_ERROR(CheckAuth(options.auth));
  ASSIGN_OR_RETURN(std::string trust, ReadTrust(options.ca_files));
  options.connections_max = std::max(options.connections_max, 1);
  return std::unique_ptr<HttpLoop>(
      new HttpLoop(std::make_unique<Impl>(std::move(options), std::move(host), std::move(trust))));
}

HttpLoop::HttpLoop(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpLoop::~HttpLoop() = default;
void HttpLoop::Run(const std::stop_token& stop) {
  impl_->Run(stop);
}
void HttpLoop::Send(HttpRequest request, HttpDone done) {
  impl_->Send(std::move(request), std::move(done));
}
const std::string& HttpLoop::url() const {
  return impl_->url();
}

Result<HttpResponse> Fetch(HttpLoop& loop, HttpRequest request, const std::stop_token& stop) {
  struct Answer {
    std::mutex mutex;
    std::condition_variable_any came;
    std::optional<Result<HttpResponse>> result;  // guarded by mutex
  };
  const auto answer = std::make_shared<Answer>();  // outlives us if we stop waiting
  loop.Send(std::move(request), [answer](Result<HttpResponse> result) {
    const std::scoped_lock lock(answer->mutex);
    answer->result = std::move(result);
    answer->came.notify_one();
  });
  std::unique_lock lock(answer->mutex);
  answer->came.wait(lock, stop, [&] { return answer->result.has_value(); });
  if (!answer->result) return Fail(ErrorKind::kCancelled, "the transfer was stopped");
  return std::move(*answer->result);
}

namespace {

tl::unexpected<Error> JudgeCredentials(const HttpResponse& response) {
  constexpr long kProxyWantsCredentials = 407;
  if (response.status == kProxyWantsCredentials) {
    return Fail(ErrorKind::kAuth, "the proxy wants credentials; check source.proxy");
  }
  return Fail(ErrorKind::kAuth, "{}: {} was refused; check source.auth. The server accepts: {}",
              response.url, response.identity,
              response.challenges.empty() ? "(it does not say)" : response.challenges);
}

tl::unexpected<Error> JudgeForbidden(const HttpResponse& response, const std::string& text) {
  if (!IsPiError(response.body, response.content_type)) {
    return Fail(
        ErrorKind::kInvalid,
        "{}: a gateway or web server in front of PI Web API forbids this (403: {}); have it "
        "let {} through",
        response.url, text, response.identity);
  }
  return Fail(ErrorKind::kRefused, "{}: {} may not read this: {}", response.url, response.identity,
              text);
}

tl::unexpected<Error> JudgeFailure(const HttpResponse& response) {
  const std::string text = ErrorText(response.body, response.content_type);
  const int status = static_cast<int>(response.status);
  if (status >= 300 && status < 400) {
    return Fail(ErrorKind::kInvalid,
                "{}: the server sends us to '{}' ({}); if that is PI Web API, "
                "write it as source.url",
                response.url, response.location, status);
  }
  const ErrorKind kind = KindOfHttpStatus(status, text);
  if (kind == ErrorKind::kAuth) return JudgeCredentials(response);
  constexpr int kForbidden = 403;
  if (status == kForbidden) return JudgeForbidden(response, text);
  if (kind == ErrorKind::kNotFound && !IsPiError(response.body, response.content_type)) {
    return Fail(ErrorKind::kInvalid,
                "{}: there is no PI Web API at this address ({}: {}); check "
                "source.url, which usually ends in /piwebapi",
                response.url, status, text);
  }
  return Fail(kind, "{}: {} {}", response.url, status, text);
}

}  // namespace

Result<HttpResponse> Judge(Result<HttpResponse> response) {
  if (!response) return response;
  if (response->status < 200 || response->status >= 300) return JudgeFailure(*response);
  constexpr long kNoContent = 204;
  if (response->status == kNoContent) return response;
  if (response->body.empty() || response->content_type.empty()) {
    return Fail(ErrorKind::kTransient,
                "{}: status {} without {}; the answer was probably cut short", response->url,
                response->status, response->body.empty() ? "a body" : "a content type");
  }
  if (IsHtml(response->content_type)) {
    return Fail(ErrorKind::kInvalid,
                "{}: a web page answers ('{}'), which looks like a login page "
                "or another site; check source.url and source.auth",
                response->url, ErrorText(response->body, response->content_type));
  }
  if (!IsJson(response->content_type)) {
    return Fail(ErrorKind::kMalformed, "{}: the answer is '{}', not JSON; is this PI Web API?",
                response->url, response->content_type.substr(0, 80));
  }
  return response;
}

}  // namespace pilake::pi
