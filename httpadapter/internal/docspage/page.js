// The page shows the document that ?api= names, the one for all without it.
(function () {
  var wanted = new URLSearchParams(location.search).get("api") || "";
  var links = Array.from(document.querySelectorAll("nav a"));
  var current = links.find(function (a) {
    return (new URL(a.href).searchParams.get("api") || "") === wanted;
  }) || links[0];
  current.setAttribute("aria-current", "page");

  var dark = matchMedia("(prefers-color-scheme: dark)");
  function shade() { document.documentElement.classList.toggle("dark-mode", dark.matches); }
  dark.addEventListener("change", shade);
  shade();

  // What the library leaves out for readers with a screen reader: levels of
  // headings without gaps, names of what is chosen, no link inside a button.
  var levels = { H1: 2, H2: 2, H3: 3, H4: 4, H5: 5, H6: 5 };
  function mend() {
    var each = function (selector, change) { document.querySelectorAll("#swagger-ui " + selector).forEach(change); };
    each(":is(h1, h2, h3, h4, h5, h6):not([aria-level])", function (h) {
      h.setAttribute("role", "heading");
      h.setAttribute("aria-level", levels[h.tagName]);
    });
    each("select:not([aria-label])", function (s) {
      var row = s.closest("tr[data-param-name]");
      s.setAttribute("aria-label", row ? row.dataset.paramName : s.closest(".servers") ? "Server" : "Media type");
    });
    each("tr[data-param-name] :is(input, textarea):not([aria-label])", function (f) {
      f.setAttribute("aria-label", f.closest("tr").dataset.paramName);
    });
    each(".operation-filter-input:not([aria-label])", function (f) { f.setAttribute("aria-label", "Filter by tag or path"); });
    each("textarea:not([aria-label])", function (f) { f.setAttribute("aria-label", "Request body"); });
    each("table[role=region]", function (t) { t.removeAttribute("role"); });
    each("button a[href]", function (a) { a.removeAttribute("href"); });
    each(":is(pre, .highlight-code, .microlight):not([tabindex])", function (p) { p.setAttribute("tabindex", "0"); });
    each(".information-container:not([role])", function (i) { i.setAttribute("role", "region"); i.setAttribute("aria-label", "About this API"); });
    each(".scheme-container:not([role])", function (s) { s.setAttribute("role", "region"); s.setAttribute("aria-label", "Server and credentials"); });
    each(".filter-container:not([role])", function (f) { f.setAttribute("role", "search"); });
    each(".copy-to-clipboard[aria-label]", function (c) { c.removeAttribute("aria-label"); });
  }
  new MutationObserver(mend).observe(document.getElementById("swagger-ui"), { childList: true, subtree: true, attributes: true, attributeFilter: ["href"] });

  window.ui = SwaggerUIBundle({
    url: current.dataset.document,
    dom_id: "#swagger-ui",
    deepLinking: true,
    docExpansion: "none",
    defaultModelsExpandDepth: -1,
    filter: true,
    syntaxHighlight: { activated: false }, // its colours lack contrast
    validatorUrl: null,
    presets: [SwaggerUIBundle.presets.apis],
    layout: "BaseLayout"
  });
})();
