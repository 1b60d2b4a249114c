// SPDX-License-Identifier: Apache-2.0
// HTTP by libcurl's multi interface.
#include "pi/http.h"

#include <signal.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include <curl/curl.h>
#include <fmt/format.h>
#include <pthread.h>

#include "core/http_status.h"
#include "pi/error_text.h"
#include "pi/http_curl.h"
#include "pi/http_endpoint.h"
#include "pi/sign_on.h"

namespace pilake::pi {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

// Time-outs guard a socket, which lives in real time even when the archive's time is simulated.
SteadyTime SteadyNow() {
  return std::chrono::steady_clock::now();
}

constexpr size_t kReceiveBytes = size_t{512} * 1024;  // a read of curl's; its largest

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
  std::string authorization;  // of the header; a secret
  bool is_second = false;     // the first was refused, with other credentials
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

}  // namespace

class HttpLoop::Impl {
 public:
  Impl(Endpoint endpoint, std::unique_ptr<SignOn> sign_on)
      : endpoint_(std::move(endpoint)),
        options_(endpoint_.options),
        sign_on_(std::move(sign_on)),
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
    bool is_second = false;
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
    auto authorization = sign_on_->Authorization();
    if (!authorization) return waiting.done(tl::unexpected(std::move(authorization).error()));
    auto transfer = std::make_unique<Transfer>();
    // A handle of its own for each call: one that is reset leaks what it was told of cookies (curl
    // 7.88). Connections belong to the multi handle and are kept all the same.
    transfer->easy.reset(curl_easy_init());
    transfer->request = std::move(waiting.request);
    transfer->done = std::move(waiting.done);
    transfer->authorization = std::move(*authorization);
    transfer->is_second = waiting.is_second;
    transfer->response.url = endpoint_.Shown(transfer->request.target);
    transfer->response.identity = sign_on_->Identity();
    transfer->response.cure = sign_on_->Cure();
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
    SetTrust(easy, endpoint_.trust);
    SetCertificate(easy, options_);
    if (sign_on_->IsOfConnection()) SetNtlm(easy);
    SetRequest(transfer);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer.error_text.data());
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, OnHeader);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, OnBody);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  }

  void SetTransport(CURL* easy) {
    SetConnect(easy, endpoint_);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, long{kReceiveBytes});
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, Millis(options_.total_timeout));
    if (options_.gzip) curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
  }

  /// All transfers share the cookies, so that a load balancer which sets one sends all of them to
  /// the same member, and two members' answers are not mixed.
  void SetCookies(CURL* easy) {
    curl_easy_setopt(easy, CURLOPT_SHARE, cookies_.get());
    curl_easy_setopt(easy, CURLOPT_COOKIEFILE, "");
  }

  void SetRequest(Transfer& transfer) {
    CURL* easy = transfer.easy.get();
    const HttpRequest& request = transfer.request;
    curl_easy_setopt(easy, CURLOPT_URL, (options_.url + request.target).c_str());
    AddHeader(transfer, "Accept: application/json");
    if (!transfer.authorization.empty()) {
      AddHeader(transfer, ("Authorization: " + transfer.authorization).c_str());
    }
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
    // What is for the server must not go to a proxy that only makes a tunnel.
    curl_easy_setopt(easy, CURLOPT_HEADEROPT, long{CURLHEADER_SEPARATE});
  }

  /// The connections of this loop are all ours, so that none is signed on as somebody else.
  void SetNtlm(CURL* easy) {
    curl_easy_setopt(easy, CURLOPT_HTTPAUTH, long{CURLAUTH_NTLM});
    curl_easy_setopt(easy, CURLOPT_USERNAME, options_.auth.username.c_str());
    curl_easy_setopt(easy, CURLOPT_PASSWORD, options_.auth.password.c_str());
  }

  static void AddHeader(Transfer& transfer, const char* header) {
    transfer.headers.reset(curl_slist_append(transfer.headers.release(), header));
  }

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
    if (transfer->body_too_large) {
      transfer->done(Fail(ErrorKind::kTooLarge, "{}: the answer is larger than {} bytes",
                          transfer->response.url, options_.body_bytes_max));
    } else if (code != CURLE_OK) {
      transfer->done(
          tl::unexpected(FromCurl(code, transfer->easy.get(), transfer->error_text.data(),
                                  transfer->response.url, endpoint_)));
    } else if (!transfer->headers_ended) {
      transfer->done(Fail(ErrorKind::kTransient, "{}: the answer was cut short in its headers",
                          transfer->response.url));
    } else {
      CollectFigures(*transfer);
      const size_t bytes = transfer->response.body.size();
      if (bytes > kPageBytesMin) page_bytes_ = bytes + bytes / 8;
      if (HasNewerCredentials(*transfer)) return StartAgain(std::move(transfer));
      transfer->done(std::move(transfer->response));
    }
  }

  /// It was refused by those that it had.
  bool HasNewerCredentials(const Transfer& transfer) {
    constexpr long kUnauthorized = 401;
    return transfer.response.status == kUnauthorized && !transfer.is_second &&
           sign_on_->Renew(transfer.authorization);
  }

  void StartAgain(std::unique_ptr<Transfer> transfer) {
    Start({std::move(transfer->request), std::move(transfer->done), true});
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
      failed->done(tl::unexpected(Stalled(endpoint_, failed->response.url)));
    }
  }

  /// Until the next stall could be; curl keeps its own time-outs beside this.
  int PollMillis() const {
    int64_t millis = 1000;
    const SteadyTime now = SteadyNow();
    for (const auto& transfer : open_) {
      const auto left = transfer->last_byte + options_.stall_timeout.chrono() - now;
      const int64_t left_millis =
          std::chrono::duration_cast<std::chrono::milliseconds>(left).count();
      millis = std::min(millis, left_millis + 1);
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

  // Constant after construction.
  Endpoint endpoint_;  // not const for curl's blob alone, which has no word for it
  const HttpOptions& options_;

  // Of the loop's thread; curl_multi_wakeup alone may be called from others.
  std::unique_ptr<SignOn> sign_on_;
  Share cookies_;  // outlives the transfers
  Multi multi_;
  std::vector<std::unique_ptr<Transfer>> open_;
  size_t page_bytes_ = 0;

  std::mutex mutex_;
  std::deque<Waiting> waiting_;  // guarded by mutex_
  bool has_ended_ = false;       // guarded by mutex_
};

Result<std::unique_ptr<HttpLoop>> HttpLoop::Make(HttpOptions options) {
  ASSIGN_OR_RETURN(Endpoint endpoint, CheckEndpoint(std::move(options)));
  endpoint.options.connections_max = std::max(endpoint.options.connections_max, 1);
  ASSIGN_OR_RETURN(auto sign_on, MakeSignOn(endpoint));
  return std::unique_ptr<HttpLoop>(
      new HttpLoop(std::make_unique<Impl>(std::move(endpoint), std::move(sign_on))));
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
    return Fail(ErrorKind::kAuth,
                "the proxy wants credentials, or other ones; check source.proxy.username and "
                "source.proxy.password");
  }
  return Fail(ErrorKind::kAuth, "{}: {} was refused; {}. The server accepts: {}", response.url,
              response.identity, response.cure,
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
