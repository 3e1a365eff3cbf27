// The page shows the document that ?api= names, the one for all without it.
(function () {
  var wanted = new URLSearchParams(location.search).get("api") || "";
  var links = Array.from(document.querySelectorAll("nav a"));
  var current = links.find(function (a) {
    return (new URL(a.href).searchParams.get("api") || "") === wanted;
  }) || links[0];
  current.setAttribute("aria-current", "page");

  // What the page library leaves out for readers with a screen reader.
  function mend() {
    document.querySelectorAll("#swagger-ui select:not([aria-label])").forEach(function (s) {
      s.setAttribute("aria-label", s.closest(".servers") ? "Server" : "Media type");
    });
    document.querySelectorAll("#swagger-ui svg:not([aria-hidden])").forEach(function (s) {
      s.setAttribute("aria-hidden", "true");
    });
  }
  new MutationObserver(mend).observe(document.getElementById("swagger-ui"), { childList: true, subtree: true });

  window.ui = SwaggerUIBundle({
    url: current.dataset.document,
    dom_id: "#swagger-ui",
    deepLinking: true,
    docExpansion: "none",
    defaultModelsExpandDepth: -1,
    filter: true,
    validatorUrl: null,
    presets: [SwaggerUIBundle.presets.apis],
    layout: "BaseLayout"
  });
})();
