// The components that the theme writes into attributes, registered by name: Alpine's CSP build
// evaluates no strings. docs/decisions/0006-content-security-policy.md
document.addEventListener("alpine:init", () => {
  for (const name of ["theme", "searchForm", "searchDropdown", "searchCommand"]) {
    Alpine.data(name, (...given) => window[name](...given));
  }
  Alpine.data("shell", () => ({
    activeTab: "",
    sidebarMobileOpen: false,
    sidebarDesktopOpen: localStorage.getItem("sidebarDesktopOpen") !== "0",
    init() {
      const first = this.$root.dataset.firstTab;
      const show = () => {
        this.activeTab = first === undefined ? "" : getCurrentTab() || first;
      };
      show();
      // A link in the page, or the browser's Back, leads to a tab as well as the tab's own head.
      window.addEventListener("hashchange", show);
      this.$watch("sidebarDesktopOpen", (open) => {
        localStorage.setItem("sidebarDesktopOpen", open ? "1" : "0");
      });
    },
    get formAction() {
      const { pathname, search } = window.location;
      const hasTab = this.activeTab && this.activeTab !== "general";
      return pathname + search + (hasTab ? `#${this.activeTab}` : "");
    },
  }));
});
