// Where the pages begin: theme, login state, routes.
import "@patternfly/react-core/dist/styles/base.css";
import "./fernwerk.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { followColourScheme } from "./theme";

followColourScheme();
const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
