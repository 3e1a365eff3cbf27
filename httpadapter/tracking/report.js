/* Order tracking. Put it on every page of the shop, as the sales pixel names it:
   <script src="…/report.js?organization=1&event=1" async></script>
   On the page that thanks for an order: tdconv('track', 'sale', {transactionId, ordervalue, currency, voucher, event}).
   Calls made before it has loaded wait in tdconv.q. */
(function (w, d) {
  'use strict';
  var name = w.TDConversionObject || 'tdconv', early = w[name] && w[name].q || [];
  var script = d.currentScript || d.querySelector('script[src*="report.js"]');
  if (!script) return;
  var own = new URL(script.src, location.href), set = own.searchParams;
  var organization = set.get('organization'), event = set.get('event') || '1';
  var age = (+set.get('days') || 30) * 864e5, key = 'affiliate_cid', most = 5;
  var url = new URL('report', own).href;

  function read() { // [[click id, time], …], those within the window, oldest first
    var text = '', m = d.cookie.match('(?:^|; )' + key + '=([^;]*)');
    if (m) text = m[1];
    try { text = text || localStorage.getItem(key) || ''; } catch (e) { /* storage is off */ }
    return text.split('!').map(function (c) { return c.split('*'); }).filter(function (c) {
      return c.length === 2 && Date.now() - c[1] < age;
    });
  }
  function keep(clicks) { // on this site alone, under the widest name the browser allows
    var text = clicks.map(function (c) { return c.join('*'); }).join('!');
    var end = key + '=' + text + ';path=/;SameSite=Lax;max-age=' + Math.floor(age / 1000);
    var parts = location.hostname.split('.');
    for (var i = parts.length - 2; i >= 0; i--) {
      d.cookie = end + ';domain=' + parts.slice(i).join('.');
      if (d.cookie.indexOf(key + '=' + text) >= 0) break;
    }
    if (d.cookie.indexOf(key + '=' + text) < 0) d.cookie = end;
    try { localStorage.setItem(key, text); } catch (e) { /* storage is off */ }
  }

  var here = new URLSearchParams(location.search), id = here.get('mtpc_cid') || here.get('tduid');
  if (id && /^[\w-]{1,64}$/.test(id)) {
    keep(read().filter(function (c) { return c[0] !== id; }).concat([[id, Date.now()]]).slice(-most));
  }

  function call(command, what, o) {
    if (command === 'init') organization = what || organization;
    if (command !== 'track' || what !== 'sale' || !o) return;
    var p = new URLSearchParams({ organization: organization, event: o.event || event });
    [['ordernumber', o.transactionId], ['ordervalue', o.ordervalue], ['currency', o.currency], ['voucher', o.voucher],
      ['tax', o.tax], ['shipping', o.shipping], ['mtpc_cid', read().map(function (c) { return c[0]; }).join(',')]
    ].forEach(function (v) { if (v[1] !== undefined && v[1] !== null && v[1] !== '') p.set(v[0], v[1]); });
    if (navigator.sendBeacon) navigator.sendBeacon(url, p);
    new Image().src = url + '?' + p;
  }
  w[name] = function () { call.apply(null, arguments); };
  for (var i = 0; i < early.length; i++) call.apply(null, early[i]);
})(window, document);
