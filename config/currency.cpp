#include "config/currency.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <sstream>

namespace sidevoice {

namespace {

// ISO 4217, list one. Codes without a digit have two places behind the point.
constexpr const char* codes =
  "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD3 BIF0 BMD BND BOB BRL BSD BTN "
  "BWP BYN BZD CAD CDF CHF CLP0 CNY COP CRC CUP CVE CZK DJF0 DKK DOP DZD EGP ERN ETB EUR FJD "
  "FKP GBP GEL GHS GIP GMD GNF0 GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD3 IRR ISK0 JMD JOD3 "
  "JPY0 KES KGS KHR KMF0 KPW KRW0 KWD3 KYD KZT LAK LBP LKR LRD LSL LYD3 MAD MDL MGA MKD MMK "
  "MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR3 PAB PEN PGK PHP PKR PLN "
  "PYG0 QAR RON RSD RUB RWF0 SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB "
  "TJS TMT TND3 TOP TRY TTD TWD TZS UAH UGX0 USD UYU UZS VED VES VND0 VUV0 WST XAF0 XCD XOF0 "
  "XPF0 YER ZAR ZMW ZWL";

} // namespace

const std::vector<std::string>& currency_codes() {
  static const auto list = [] {
    std::vector<std::string> out;
    std::istringstream in{codes};
    for (std::string code; in >> code;)
      out.push_back(code.substr(0, 3));
    return out;
  }();
  return list;
}

std::optional<int> currency_digits(std::string_view code) {
  const std::string_view all = codes;
  const auto at = code.size() == 3 ? all.find(code) : std::string_view::npos;
  // Three letters between blanks: "UDE" is in the text, but no code.
  if (at == std::string_view::npos || (at > 0 && all[at - 1] != ' '))
    return std::nullopt;
  const auto behind = at + 3 < all.size() ? all[at + 3] : ' ';
  return behind == ' ' ? 2 : behind - '0';
}

std::string format_amount(double amount, int digits) {
  const auto whole = std::floor(std::fabs(amount)) == std::fabs(amount);
  char buffer[64];
  std::snprintf(buffer, sizeof(buffer), "%.*f", whole ? 0 : digits, std::fabs(amount));
  auto text = std::string{buffer};
  auto point = std::min(text.find('.'), text.size());
  while (point > 3) {
    point -= 3;
    text.insert(point, ",");
  }
  return amount < 0 ? '-' + text : text;
}

} // namespace sidevoice
