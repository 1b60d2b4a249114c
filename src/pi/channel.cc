// SPDX-License-Identifier: Apache-2.0
// Channels by Boost.Beast: one io_context, one thread, one coroutine a channel.
//
// libcurl connects, so that the way to the source is the same as for HTTP; TLS and the WebSocket
// on that socket are ours. Asio and curl write to sockets with MSG_NOSIGNAL: nothing here can raise
// SIGPIPE.
#include "pi/channel.h"

#include <sys/socket.h>

#include <algorithm>
#include <cassert>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <tuple>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "core/time.h"
#include "pi/http_certificate.h"
#include "pi/http_dial.h"
#include "pi/http_endpoint.h"
#include "pi/sign_on.h"

namespace pilake::pi {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;
using net::ip::tcp;
using SteadyTime = std::chrono::steady_clock::time_point;

using PlainStream = beast::tcp_stream;
using TlsStream = net::ssl::stream<beast::tcp_stream>;

constexpr auto kAwait = net::as_tuple(net::use_awaitable);
constexpr auto kFarewell = std::chrono::seconds(1);  // for the server to answer our close
constexpr int64_t kMessageBytesMax = int64_t{64} << 20;
constexpr size_t kReadBytesMax = size_t{1} << 20;  // at once, whatever length is announced
constexpr size_t kKeptBytes = size_t{1} << 20;     // of a buffer between messages

SteadyTime SteadyNow() {
  return std::chrono::steady_clock::now();
}

/// One attempt, from `Open` to its end.
struct Channel {
  Channel(uint64_t number, ChannelRequest asked, ChannelHandler told, std::string shown,
          net::io_context& context)
      : id(number),
        request(std::move(asked)),
        handler(std::move(told)),
        url(std::move(shown)),
        alarm(context) {}

  const uint64_t id;
  const ChannelRequest request;
  ChannelHandler handler;
  const std::string url;  ///< for messages
  bool has_ended = false;

  /// Nothing may last longer than until then: it would mean `too_late`.
  SteadyTime latest = SteadyTime::max();
  Error too_late;
  net::steady_timer alarm;

  std::function<void()> cut;   ///< ends the connection; what waits for it fails
  std::function<void()> part;  ///< takes leave of the server, who is listening

  void End(Error error) {
    if (std::exchange(has_ended, true)) return;
    const ChannelHandler last = std::move(handler);
    last.on_end(std::move(error));
  }

  /// From now on.
  void Allow(SteadyTime::duration span) {
    const SteadyTime before = std::exchange(latest, SteadyNow() + span);
    if (latest < before) alarm.cancel();
  }
  void Allow(SteadyTime::duration span, Error meaning) {
    too_late = std::move(meaning);
    Allow(span);
  }

  /// We want no more of it.
  void HangUp() {
    End({ErrorKind::kCancelled, "the channel was closed by us"});
    if (part) {
      part();
    } else if (cut) {
      cut();
    }
  }
};
using ChannelPointer = std::shared_ptr<Channel>;

/// What became of an attempt's credentials.
struct Refusal {
  bool is_of_credentials = false;
  std::string refused;  ///< a secret
};

bool IsOf(const error_code& error, const error_code& family) {
  return error.category() == family.category();
}
bool IsOfHttp(const error_code& error) {
  return IsOf(error, http::make_error_code(http::error::bad_version));
}
bool IsOfWebSocket(const error_code& error) {
  return IsOf(error, websocket::make_error_code(websocket::error::closed));
}

Error WasCut(const Channel& channel, const error_code& error) {
  return {ErrorKind::kTransient,
          fmt::format("{}: the channel was cut ({})", channel.url, error.message())};
}

Error WasSilent(const Channel& channel) {
  return {ErrorKind::kTimedOut, fmt::format("{}: no frame came for {}", channel.url,
                                            DescribeDuration(channel.request.silence_max))};
}

Error NoWebSocket(const Channel& channel, std::string_view detail) {
  return {
      ErrorKind::kMalformed,
      fmt::format("{}: what answers does not speak WebSocket ({}); is a gateway in between that "
                  "does not know it?",
                  channel.url, detail)};
}

Error TooLarge(const Channel& channel, int64_t bytes_max) {
  return {ErrorKind::kMalformed,
          fmt::format("{}: a message is larger than {} bytes", channel.url, bytes_max)};
}

Error WasClosed(const Channel& channel, const websocket::close_reason& reason) {
  const std::string_view words(reason.reason.data(), reason.reason.size());
  return {ErrorKind::kTransient,
          fmt::format("{}: the server closed the channel with code {}{}{}", channel.url,
                      reason.code == websocket::close_code::none
                          ? static_cast<int>(websocket::close_code::no_status)
                          : static_cast<int>(reason.code),
                      words.empty() ? "" : ": ", words)};
}

/// What comes of a WebSocket that `failed` while it was read.
Error WhyReadFailed(const Channel& channel, const error_code& failed) {
  if (IsOfWebSocket(failed)) return NoWebSocket(channel, failed.message());
  return WasCut(channel, failed);
}

/// The answer to an upgrade as HTTP would have it.
HttpResponse ToHttp(websocket::response_type& answer, const Channel& channel,
                    const SignOn& sign_on) {
  HttpResponse response;
  response.status = static_cast<long>(answer.result_int());
  const auto header = [&](http::field name) { return std::string(answer[name]); };
  response.content_type = header(http::field::content_type);
  response.location = header(http::field::location).substr(0, 200);
  const auto [first, end] = answer.equal_range(http::field::www_authenticate);
  for (auto it = first; it != end; ++it) {
    if (!response.challenges.empty()) response.challenges += ", ";
    response.challenges += std::string(it->value()).substr(0, 100);
  }
  response.body = std::move(answer.body());
  response.url = channel.url;
  response.identity = sign_on.Identity();
  response.cure = sign_on.Cure();
  return response;
}

/// What comes of a request for a WebSocket that `failed`.
Error WhyNotUpgraded(websocket::response_type& answer, const error_code& failed,
                     const Channel& channel, const Endpoint& endpoint, const SignOn& sign_on) {
  if (failed == websocket::error::upgrade_declined) {
    const int status = static_cast<int>(answer.result_int());
    const auto judged = Judge(ToHttp(answer, channel, sign_on));
    if (!judged) return judged.error();
    return NoWebSocket(channel, fmt::format("status {}", status));
  }
  if (IsOfWebSocket(failed)) return NoWebSocket(channel, failed.message());
  const bool is_cut =
      failed == http::error::end_of_stream || failed == http::error::partial_message;
  if (auto unknown = NotKnownByCertificate(endpoint, failed.message())) return std::move(*unknown);
  if (IsOfHttp(failed) && !is_cut) return NotHttp(endpoint.host, failed.message());
  return WasCut(channel, failed);
}

/// The same trust as curl's for HTTP, and the same certificate of ours.
Result<net::ssl::context> MakeTls(const Endpoint& endpoint) {
  const Trust& trust = endpoint.trust;
  net::ssl::context tls(net::ssl::context::tls_client);
  SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_2_VERSION);
  tls.set_verify_mode(net::ssl::verify_peer);
  error_code error, ignored;  // without any authority of the system's, none is known
  if (!trust.pem.empty()) {
    error = tls.add_certificate_authority(net::buffer(trust.pem), error);
  } else if (!trust.system.bundle.empty()) {
    std::ignore = tls.load_verify_file(trust.system.bundle, ignored);
  }
  if (error) return Fail(ErrorKind::kInvalid, "trust.ca cannot be used: {}", error.message());
  if (!trust.system.folder.empty()) std::ignore = tls.add_verify_path(trust.system.folder, ignored);
  // As curl does: who trusts an intermediate authority, or the server itself, needs no root.
  X509_STORE_set_flags(SSL_CTX_get_cert_store(tls.native_handle()), X509_V_FLAG_PARTIAL_CHAIN);
  RETURN_IF_ERROR(ShowCertificate(tls.native_handle(), endpoint.options));
  return tls;
}

/// The certificate must be for this host; a name, unlike an address, also says to the server which
/// one is wanted.
void Expect(const Host& host, SSL* ssl) {
  std::string name = host.name;
  if (name.starts_with('[')) name = name.substr(1, name.size() - 2);
  if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str()) == 1) return;
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  SSL_set1_host(ssl, name.c_str());
  // SSL_set_tlsext_host_name without its old casts.
  SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data());
}

Error WhyNoTls(const Endpoint& endpoint, SSL* ssl, const error_code& failed) {
  const Host& host = endpoint.host;
  if (auto unknown = NotKnownByCertificate(endpoint, failed.message())) return std::move(*unknown);
  const long verify_result = SSL_get_verify_result(ssl);
  if (verify_result == X509_V_OK) return NoTls(host, failed.message());
  return NotTrusted(host, verify_result, X509_verify_cert_error_string(verify_result));
}

std::string TakeMessage(beast::flat_buffer& buffer) {
  std::string message;
  message.reserve(buffer.size() + kPadding);
  message.assign(static_cast<const char*>(buffer.data().data()), buffer.size());
  buffer.clear();
  if (buffer.capacity() > kKeptBytes) buffer.shrink_to_fit();
  return message;
}

void CloseSocket(beast::tcp_stream& stream) {
  error_code ignored;
  std::ignore = stream.socket().close(ignored);
}

}  // namespace

class ChannelLoop::Impl {
 public:
  Impl(Endpoint endpoint, std::unique_ptr<SignOn> sign_on, std::optional<net::ssl::context> tls)
      : endpoint_(std::move(endpoint)),
        sign_on_(std::move(sign_on)),
        message_bytes_max_(std::min<int64_t>(kMessageBytesMax, endpoint_.options.body_bytes_max)),
        tls_(std::move(tls)) {}
  ~Impl() { EndAll(); }

  void Run(const std::stop_token& stop) {
    auto work = net::make_work_guard(context_);
    const std::stop_callback end(stop, [&] {
      net::post(context_, [&] {
        EndAll();
        work.reset();
      });
    });
    context_.run();
  }

  uint64_t Open(ChannelRequest request, ChannelHandler handler) {
    assert(request.target.starts_with('/'));
    const std::string url = endpoint_.Shown(request.target);
    ChannelPointer channel;
    {
      const std::scoped_lock lock(mutex_);
      channel = std::make_shared<Channel>(++last_id_, std::move(request), std::move(handler), url,
                                          context_);
      if (!has_ended_) {
        channels_.emplace(channel->id, channel);
        net::post(context_, [this, channel] { Begin(channel); });
        return channel->id;
      }
    }
    channel->HangUp();
    return channel->id;
  }

  void Close(uint64_t id) {
    net::post(context_, [this, id] {
      const ChannelPointer channel = Find(id);
      if (channel != nullptr && !channel->has_ended) channel->HangUp();
    });
  }

 private:
  ChannelPointer Find(uint64_t id) {
    const std::scoped_lock lock(mutex_);
    const auto found = channels_.find(id);
    return found == channels_.end() ? nullptr : found->second;
  }

  void EndAll() {
    std::map<uint64_t, ChannelPointer> all;
    {
      const std::scoped_lock lock(mutex_);
      has_ended_ = true;
      all.swap(channels_);
    }
    for (const auto& [id, channel] : all) {
      if (!channel->has_ended) channel->HangUp();
    }
  }

  void Begin(const ChannelPointer& channel) {
    if (channel->has_ended) return;
    net::co_spawn(context_, Live(channel), net::detached);
    net::co_spawn(context_, Guard(channel), net::detached);
  }

  /// All of a channel's life.
  net::awaitable<void> Live(ChannelPointer channel) {
    Error why = co_await Converse(*channel);
    channel->End(std::move(why));
    if (channel->cut) channel->cut();
    channel->cut = channel->part = {};
    channel->latest = SteadyTime::min();
    channel->alarm.cancel();
    const std::scoped_lock lock(mutex_);
    channels_.erase(channel->id);
  }

  /// Cuts what takes too long.
  static net::awaitable<void> Guard(ChannelPointer channel) {
    while (SteadyNow() < channel->latest) {
      channel->alarm.expires_at(channel->latest);
      co_await channel->alarm.async_wait(kAwait);
    }
    channel->End(std::move(channel->too_late));
    if (channel->cut) channel->cut();
  }

  /// Until it ends; why it did. Where there are newer credentials than those that were refused, it
  /// begins once more.
  net::awaitable<Error> Converse(Channel& channel) {
    if (sign_on_->IsOfConnection()) {
      co_return Error{ErrorKind::kInvalid,
                      fmt::format("{}: channels cannot sign on by NTLM, which is bound to a "
                                  "connection; by kerberos they can",
                                  channel.url)};
    }
    Refusal refusal;
    Error why = co_await Attempt(channel, refusal);
    if (channel.has_ended || !refusal.is_of_credentials || !sign_on_->Renew(refusal.refused)) {
      co_return why;
    }
    channel.cut();
    channel.cut = {};
    co_return co_await Attempt(channel, refusal);
  }

  net::awaitable<Error> Attempt(Channel& channel, Refusal& refusal) {
    const SteadyTime until = SteadyNow() + endpoint_.options.connect_timeout.chrono();
    Result<tcp::socket> socket = co_await Connect(channel);
    if (!socket) co_return std::move(socket).error();
    if (!tls_) {
      const auto wire = std::make_shared<websocket::stream<PlainStream>>(std::move(*socket));
      co_return co_await Speak(channel, wire, refusal);
    }
    const auto wire = std::make_shared<websocket::stream<TlsStream>>(std::move(*socket), *tls_);
    channel.cut = [wire] { CloseSocket(beast::get_lowest_layer(*wire)); };
    channel.Allow(until - SteadyNow(), NoAnswer(endpoint_));
    SSL* const ssl = wire->next_layer().native_handle();
    Expect(endpoint_.host, ssl);
    const auto [failed] =
        co_await wire->next_layer().async_handshake(net::ssl::stream_base::client, kAwait);
    if (failed) co_return WhyNoTls(endpoint_, ssl, failed);
    co_return co_await Speak(channel, wire, refusal);
  }

  net::awaitable<Result<tcp::socket>> Connect(const Channel& channel) {
    constexpr auto kLongestPause = std::chrono::milliseconds(16);
    Dial dial(endpoint_);
    auto pause = std::chrono::milliseconds(1);
    std::optional<Result<Socket>> answer;
    while (!channel.has_ended && !(answer = dial.Drive())) {
      net::steady_timer timer(context_, pause);
      co_await timer.async_wait(kAwait);
      pause = std::min(2 * pause, kLongestPause);
    }
    if (!answer) co_return Fail(ErrorKind::kCancelled, "not needed any more");
    if (!*answer) co_return tl::unexpected(std::move(*answer).error());
    co_return Adopt(std::move(**answer));
  }

  Result<tcp::socket> Adopt(Socket socket) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    getsockname(socket.descriptor(), reinterpret_cast<sockaddr*>(&address), &length);
    tcp::socket adopted(context_);
    error_code error;
    error = adopted.assign(address.ss_family == AF_INET6 ? tcp::v6() : tcp::v4(),
                           socket.descriptor(), error);
    if (error) {
      return Fail(ErrorKind::kTransient, "{}: no further connection can be held: {}",
                  endpoint_.options.url, error.message());
    }
    socket.Release();
    return adopted;
  }

  /// Asks for the WebSocket, then listens to it.
  template <typename Stream>
  net::awaitable<Error> Speak(Channel& channel, std::shared_ptr<websocket::stream<Stream>> wire,
                              Refusal& refusal) {
    channel.cut = [wire] { CloseSocket(beast::get_lowest_layer(*wire)); };
    if (channel.has_ended) co_return Error{};
    auto authorization = sign_on_->Authorization();
    if (!authorization) co_return std::move(authorization).error();
    channel.Allow(endpoint_.options.stall_timeout.chrono(), Stalled(endpoint_, channel.url));
    wire->set_option(websocket::stream_base::decorator([&](websocket::request_type& request) {
      request.set(http::field::user_agent, kUserAgent);
      if (!authorization->empty()) request.set(http::field::authorization, *authorization);
    }));
    wire->read_message_max(0);  // Beast's own limit would wait for the server to hang up
    websocket::response_type answer;
    const auto [failed] = co_await wire->async_handshake(
        answer, endpoint_.host.authority, endpoint_.host.path + channel.request.target, kAwait);
    if (failed) {
      refusal.is_of_credentials = failed == websocket::error::upgrade_declined &&
                                  answer.result() == http::status::unauthorized;
      refusal.refused = std::move(*authorization);
      co_return WhyNotUpgraded(answer, failed, channel, endpoint_, *sign_on_);
    }
    if (channel.has_ended) co_return Error{};
    co_return co_await Listen(channel, wire);
  }

  template <typename Stream>
  net::awaitable<Error> Listen(Channel& channel, std::shared_ptr<websocket::stream<Stream>> wire) {
    const auto silence_max = channel.request.silence_max.chrono();
    channel.Allow(silence_max, WasSilent(channel));
    channel.part = [this, &channel, wire] {
      channel.Allow(kFarewell);
      net::co_spawn(context_, TakeLeave(wire, websocket::close_code::normal), net::detached);
    };
    // Pings, pongs and the server's close, which needs no waiting for the end of the connection.
    wire->control_callback(
        [&channel, silence_max, peer = wire.get()](websocket::frame_type kind, std::string_view) {
          if (channel.has_ended) return;
          channel.Allow(silence_max);
          if (kind != websocket::frame_type::close) return;
          channel.End(WasClosed(channel, peer->reason()));
          channel.Allow(kFarewell);
        });
    channel.handler.on_open();
    beast::flat_buffer buffer;
    for (;;) {
      const auto [failed, bytes] = co_await wire->async_read_some(buffer, kReadBytesMax, kAwait);
      if (failed) co_return WhyReadFailed(channel, failed);
      if (channel.has_ended) {
        buffer.clear();
      } else if (wire->got_binary()) {
        channel.End(NoWebSocket(channel, "a binary message"));
        channel.Allow(kFarewell);
        co_await TakeLeave(wire, websocket::close_code::unknown_data);
      } else if (buffer.size() > static_cast<size_t>(message_bytes_max_)) {
        channel.End(TooLarge(channel, message_bytes_max_));
        channel.Allow(kFarewell);
        co_await TakeLeave(wire, websocket::close_code::too_big);
      } else {
        channel.Allow(silence_max);
        if (wire->is_message_done()) channel.handler.on_message(TakeMessage(buffer));
      }
    }
  }

  template <typename Stream>
  static net::awaitable<void> TakeLeave(std::shared_ptr<websocket::stream<Stream>> wire,
                                        websocket::close_code why) {
    co_await wire->async_close(why, kAwait);
  }

  const Endpoint endpoint_;
  const std::unique_ptr<SignOn> sign_on_;  // of the loop's thread
  const int64_t message_bytes_max_;
  std::optional<net::ssl::context> tls_;  // for https
  net::io_context context_{1};

  std::mutex mutex_;
  std::map<uint64_t, ChannelPointer> channels_;  // guarded by mutex_; those not gone yet
  uint64_t last_id_ = 0;                         // guarded by mutex_
  bool has_ended_ = false;                       // guarded by mutex_
};

Result<std::unique_ptr<ChannelLoop>> ChannelLoop::Make(HttpOptions options) {
  ASSIGN_OR_RETURN(Endpoint endpoint, CheckEndpoint(std::move(options)));
  ASSIGN_OR_RETURN(auto sign_on, MakeSignOn(endpoint));
  std::optional<net::ssl::context> tls;
  if (endpoint.host.scheme == "https") {
    ASSIGN_OR_RETURN(tls, MakeTls(endpoint));
  }
  return std::unique_ptr<ChannelLoop>(new ChannelLoop(
      std::make_unique<Impl>(std::move(endpoint), std::move(sign_on), std::move(tls))));
}

ChannelLoop::ChannelLoop(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ChannelLoop::~ChannelLoop() = default;
void ChannelLoop::Run(const std::stop_token& stop) {
  impl_->Run(stop);
}
uint64_t ChannelLoop::Open(ChannelRequest request, ChannelHandler handler) {
  return impl_->Open(std::move(request), std::move(handler));
}
void ChannelLoop::Close(uint64_t id) {
  impl_->Close(id);
}

}  // namespace pilake::pi
