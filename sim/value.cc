// SPDX-License-Identifier: Apache-2.0
// Values: what a point shows at one index, from its seed alone.
#include "sim/value.h"

#include <array>
#include <cmath>
#include <limits>
#include <string_view>

#include "sim/hash.h"
#include "sim/json.h"

namespace pilake::sim {
namespace {

constexpr uint64_t kWhat = 0x77686174ULL, kOdd = 0x6f6464ULL;

// Of 65536 events, so many are not ordinary.
constexpr uint64_t OddShare(Temper temper) {
  switch (temper) {
    case Temper::kCalm:
      return 0;
    case Temper::kPlant:
      return 200;
    case Temper::kWild:
      return 4000;
  }
  return 0;
}

// An interface that loses its device writes `I/O Timeout` for a while.
constexpr int64_t kOutageEvery = 701, kOutageLength = 3;

bool InOutage(const Point& point, int64_t index) {
  return point.temper != Temper::kCalm && index % kOutageEvery >= kOutageEvery - kOutageLength;
}

bool IsOdd(const Point& point, uint64_t seed, int64_t index) {
  const uint64_t share = OddShare(point.temper);
  return share != 0 && (Draw(seed ^ kOdd, static_cast<uint64_t>(index)) & 0xffff) < share;
}

// A slow triangle with the noise of a 14-bit converter on it: 0 … 16383.
int64_t Level(uint64_t seed, int64_t index) {
  const uint64_t draw = Draw(seed ^ kWhat, static_cast<uint64_t>(index));
  const auto step = static_cast<uint32_t>(100'000 + (seed & 0xfffff));
  const uint32_t phase = static_cast<uint32_t>(index) * step;
  const uint32_t triangle = phase < 0x80000000U ? phase * 2 : ~phase * 2;
  return static_cast<int64_t>((triangle >> 18) * 16352ULL / 16384 + (draw & 31));
}

float Share(uint64_t seed, int64_t index) {
  return static_cast<float>(Level(seed, index)) * (1.0F / 16384);
}

constexpr std::array<std::string_view, 20> kTexts = {
    "OK",
    "",
    "Batch 4711 started",
    "quote \" backslash \\ slash / done",
    "two\nlines\r\nand a\ttab",
    "bell \x07 and escape \x1b",
    "Größe 5 µm",
    "温度 高",
    "🏭 plant 🔥",
    "line separator",
    "{\"json\":[1,2,{\"x\":null}]}",
    "NaN",
    "null",
    "true",
    "12.5",
    "2024-05-01T10:00:00Z",
    " leading and trailing ",
    "comma, semicolon; 'single'",
    "Насос № 1",
    "I/O Timeout",
};

void MakeText(const Point& point, uint64_t draw, Event& event) {
  event.form = Form::kText;
  const uint64_t which = draw >> 40 & 63;
  if (point.temper != Temper::kWild) {
    event.text = "Recipe ";
    event.text += std::to_string(draw >> 20 & 0x3f);
  } else if (which < kTexts.size()) {
    event.text = kTexts[which];
  } else if (which == 63) {
    event.text.assign(976, static_cast<char>('a' + (draw & 15)));  // the longest a PI string is
  } else {
    event.text = "Lot ";
    event.text += std::to_string(draw & 0xffffff);
  }
}

void MakeTimestamp(const Point& point, int64_t index, uint64_t draw, Event& event) {
  event.form = Form::kText;
  UtcTime time = Rendered(point.created) + Duration::Seconds(index * 37);
  if ((draw & 3) == 1) time = time + Duration::Ticks(static_cast<int64_t>(draw >> 8 & 0x7fffff));
  if ((draw & 3) == 2) time = time + Duration::Millis(static_cast<int64_t>(draw >> 8 & 511));
  event.text = FormatUtcTime(time);
}

void MakeBlob(uint64_t draw, Event& event) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  event.form = Form::kText;
  event.text.clear();
  const uint64_t groups = draw & 15;
  for (uint64_t i = 0; i < groups * 4; ++i) event.text += kAlphabet[Mix(draw + i) & 63];
}

void MakeState(const DigitalSet& set, int32_t code, bool system, Event& event) {
  const DigitalState* state = set.ByCode(code);
  event.form = Form::kState;
  event.integer = code;
  event.system = system;
  event.text = state == nullptr ? std::string_view() : state->name;
}

void MakeBadState(const Plant& plant, int32_t code, Event& event) {
  MakeState(plant.system_set(), code, true, event);
  event.good = false;
}

int64_t Int64At(uint64_t seed, int64_t index, uint64_t draw) {
  switch (draw >> 32 & 255) {
    case 0:
      return std::numeric_limits<int64_t>::max();
    case 1:
      return std::numeric_limits<int64_t>::min();
    case 2:
      return -1 - static_cast<int64_t>(draw & 0xffff);
    case 3:
      return 0;
    default:
      break;
  }
  // A counter that has left the integers which a double can hold.
  return (int64_t{1} << 53) + 1 + static_cast<int64_t>(seed & 0xffff) + index * 3;
}

// What an event shows when nothing is odd about it.
void MakeOrdinary(const Plant& plant, const Point& point, uint64_t seed, int64_t index,
                  Event& event) {
  switch (point.type) {
    case PointType::kFloat16: {  // stored as a share of the span, so that it moves with it
      event.form = Form::kSingle;
      event.number = static_cast<double>(point.zero + point.span * Share(seed, index));
      return;
    }
    case PointType::kFloat32: {
      event.form = Form::kSingle;
      event.number =
          static_cast<double>(point.process_zero + point.process_span * Share(seed, index));
      return;
    }
    case PointType::kFloat64: {
      const uint64_t draw = Draw(seed ^ kWhat, static_cast<uint64_t>(index));
      const double fine = static_cast<double>(draw >> 20) * 0x1p-58;
      event.form = Form::kDouble;
      event.number = static_cast<double>(point.process_zero) +
                     static_cast<double>(point.process_span) *
                         (static_cast<double>(Level(seed, index)) * 0x1p-14 + fine);
      return;
    }
    case PointType::kInt16:
      event.form = Form::kInteger;
      event.integer = Level(seed, index) * 2 - (point.temper == Temper::kWild ? 16384 : 0);
      return;
    case PointType::kInt32:
      event.form = Form::kInteger;
      event.integer = Level(seed, index) * static_cast<int64_t>(point.process_span) +
                      static_cast<int64_t>(point.process_zero);
      return;
    case PointType::kInt64:
      event.form = Form::kInteger;
      event.integer = Int64At(seed, index, Draw(seed ^ kWhat, static_cast<uint64_t>(index)));
      return;
    case PointType::kDigital: {
      const DigitalSet& set = plant.digital_set(point);
      const auto states = static_cast<int64_t>(set.states.size());
      const auto draw = Draw(seed ^ kWhat, static_cast<uint64_t>(index));
      const auto at = static_cast<size_t>((index + static_cast<int64_t>(draw & 3)) % states);
      MakeState(set, set.states[at].code, false, event);
      return;
    }
    case PointType::kString:
      MakeText(point, Draw(seed ^ kWhat, static_cast<uint64_t>(index)), event);
      return;
    case PointType::kTimestamp:
      MakeTimestamp(point, index, Draw(seed ^ kWhat, static_cast<uint64_t>(index)), event);
      return;
    case PointType::kBlob:
      MakeBlob(Draw(seed ^ kWhat, static_cast<uint64_t>(index)), event);
      return;
    case PointType::kUnknown:
      return;
  }
}

bool IsFloat(PointType type) {
  return type == PointType::kFloat16 || type == PointType::kFloat32 || type == PointType::kFloat64;
}

bool IsInteger(PointType type) {
  return type == PointType::kInt16 || type == PointType::kInt32 || type == PointType::kInt64;
}

void SetNumber(const Point& point, double number, Event& event) {
  event.form = point.type == PointType::kFloat64 ? Form::kDouble : Form::kSingle;
  event.number =
      point.type == PointType::kFloat64 ? number : static_cast<double>(static_cast<float>(number));
}

void MakePlantOddity(const Plant& plant, uint64_t draw, Event& event) {
  switch (draw & 7) {
    case 0:
      MakeBadState(plant, kBadInput, event);
      return;
    case 1:
      MakeBadState(plant, kIoTimeout, event);
      return;
    case 2:
      MakeBadState(plant, kShutdown, event);
      return;
    case 3:
      event.substituted = true;
      return;
    case 4:
      event.annotated = true;
      return;
    default:
      event.questionable = true;
      return;
  }
}

// Numbers at the edges of a type. Ordinary where the type has no such edge.
void MakeExtreme(const Point& point, uint64_t draw, Event& event) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (IsFloat(point.type)) {
    const bool wide = point.type == PointType::kFloat64;
    switch (draw & 7) {
      case 0:
        SetNumber(point, std::numeric_limits<double>::quiet_NaN(), event);
        break;
      case 1:
        SetNumber(point, kInfinity, event);
        break;
      case 2:
        SetNumber(point, -kInfinity, event);
        break;
      case 3:
        SetNumber(point, wide ? 1.7976931348623157e308 : 3.4028234663852886e38, event);
        return;
      case 4:
        SetNumber(point, wide ? -2.2250738585072014e-308 : -1.1754943508222875e-38, event);
        return;
      case 5:
        SetNumber(point, 0, event);
        return;
      case 6:
        SetNumber(point, -123456.789, event);
        return;
      default:
        SetNumber(point, 1e-9, event);
        return;
    }
    event.good = false;  // PI would not call these good
  } else if (point.type == PointType::kInt32) {
    event.integer =
        (draw & 1) != 0 ? std::numeric_limits<int32_t>::max() : std::numeric_limits<int32_t>::min();
  } else if (point.type == PointType::kInt16) {
    event.integer = (draw & 1) != 0 ? 32767 : -1;
  }
}

void MakeWildOddity(const Plant& plant, const Point& point, uint64_t draw, Event& event) {
  const bool numeric = IsFloat(point.type) || IsInteger(point.type);
  switch (draw % 20) {
    case 0:
      MakeBadState(plant, kIoTimeout, event);
      return;
    case 1:
      MakeBadState(plant, kShutdown, event);
      return;
    case 2:
      MakeBadState(plant, kBadInput, event);
      return;
    case 3:
      MakeBadState(plant, kScanOff, event);
      return;
    case 4:  // bad, and only a text says why
      event.form = Form::kText;
      event.text = "Calculation overflow";
      event.good = false;
      return;
    case 5:
      event.form = Form::kErrorValue;
      event.text = "Calculation Error: division by zero in 'A'/'B'";
      event.good = false;
      return;
    case 6:
      event.form = Form::kErrorMember;
      event.text = "The value of the point could not be read";
      event.good = false;
      return;
    case 7:
      event.form = Form::kNull;
      event.good = false;
      return;
    case 8:
      event.form = Form::kArray;
      event.text = (draw & 0x10000) != 0 ? "[1.5,-2.25,1E+20]" : "[]";
      return;
    case 9:  // a system state that is good, or a state of the point's own that is not
      if (point.type != PointType::kDigital)
        MakeState(plant.system_set(), kCalcFailed, true, event);
      else
        event.good = false;
      return;
    case 10:
      event.substituted = true;
      return;
    case 11:
      event.annotated = true;
      return;
    case 12:
      event.questionable = event.substituted = true;
      return;
    case 13:
      event.questionable = event.substituted = event.annotated = true;
      return;
    case 14:
      event.good = false;
      return;  // bad, and shows its value all the same
    case 15:
      if (point.type == PointType::kInt32) {
        event.form = Form::kBoolean;
        event.integer = static_cast<int64_t>(draw >> 20 & 1);
      } else {
        event.questionable = true;
      }
      return;
    default:
      if (numeric)
        MakeExtreme(point, draw >> 24, event);
      else
        event.questionable = true;
      return;
  }
}

bool IsNumeric(const Event& event) {
  return event.form == Form::kSingle || event.form == Form::kDouble ||
         event.form == Form::kInteger || event.form == Form::kBoolean;
}

double NumberOf(const Event& event) {
  return event.form == Form::kSingle || event.form == Form::kDouble
             ? event.number
             : static_cast<double>(event.integer);
}

int64_t RoundedOf(const Event& event) {
  if (event.form != Form::kSingle && event.form != Form::kDouble) return event.integer;
  if (!(std::abs(event.number) < 9e18)) return 0;
  return std::llround(event.number);
}

}  // namespace

void FitToType(const Plant& plant, const Point& point, Event& event) {
  const bool own_state = event.form == Form::kState && !event.system;
  if (!IsNumeric(event) && !own_state) return;
  if (IsFloat(point.type)) {
    SetNumber(point, NumberOf(event), event);
  } else if (IsInteger(point.type)) {
    event.integer = RoundedOf(event);
    event.form = Form::kInteger;
  } else if (point.type == PointType::kDigital) {
    const auto code = static_cast<int32_t>(RoundedOf(event));
    MakeState(plant.digital_set(point), code, false, event);
    if (plant.digital_set(point).ByCode(code) == nullptr) event.text = "?" + std::to_string(code);
  } else if (point.type == PointType::kString && !own_state) {
    char text[kNumberChars];
    const bool whole = event.form == Form::kInteger || event.form == Form::kBoolean;
    event.text =
        whole ? std::to_string(event.integer) : std::string(text, WriteNumber(event.number, text));
    event.form = Form::kText;
  } else if (point.type == PointType::kString) {
    event.form = Form::kText;
  }
}

bool IsOrdinary(const Point& point, uint64_t seed, int64_t index) {
  return index != 0 && !InOutage(point, index) && !IsOdd(point, seed, index);
}

void MakeOrdinaryValue(const Plant& plant, const Point& point, uint64_t seed, int64_t index,
                       Event& event) {
  event.good = true;
  event.questionable = event.substituted = event.annotated = false;
  MakeOrdinary(plant, point, seed, index, event);
}

void MakeValue(const Plant& plant, const Point& point, uint64_t seed, int64_t index, Event& event) {
  event.good = true;
  event.questionable = event.substituted = event.annotated = false;
  if (index == 0) return MakeBadState(plant, kPtCreated, event);
  // Where several events share one time, two neighbours sometimes also share the value.
  const int64_t shown = point.temper == Temper::kWild && index % 14 == 1 ? index - 1 : index;
  MakeOrdinary(plant, point, seed, shown == 0 ? index : shown, event);
  if (point.temper == Temper::kCalm) return;
  if (InOutage(point, index)) return MakeBadState(plant, kIoTimeout, event);
  if (!IsOdd(point, seed, index)) return;
  const uint64_t draw = Mix(Draw(seed ^ kOdd, static_cast<uint64_t>(index)));
  if (point.temper == Temper::kPlant)
    MakePlantOddity(plant, draw, event);
  else
    MakeWildOddity(plant, point, draw, event);
}

}  // namespace pilake::sim
