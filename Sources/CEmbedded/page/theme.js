// Light, dark, or as the system says. Runs before the page is painted, so that it does not flash.
(() => {
  const themes = ["auto", "light", "dark"];
  const root = document.documentElement;
  const saved = () => {
    try { return localStorage.getItem("theme"); } catch { return null; }
  };
  const apply = (theme) => {
    if (theme === "auto") delete root.dataset.theme; else root.dataset.theme = theme;
    const button = document.getElementById("theme");
    if (button) button.textContent = `Theme: ${theme}`;
  };
  let theme = themes.includes(saved()) ? saved() : "auto";
  apply(theme);
  document.addEventListener("DOMContentLoaded", () => {
    apply(theme);
    document.getElementById("theme").addEventListener("click", () => {
      theme = themes[(themes.indexOf(theme) + 1) % themes.length];
      apply(theme);
      try { localStorage.setItem("theme", theme); } catch { /* A browser that stores nothing: the theme lasts for this page. */ }
    });
  });
})();
