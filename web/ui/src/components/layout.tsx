// The frame around all pages but login and viewer.
import {
  Brand, Dropdown, DropdownItem, DropdownList, Masthead, MastheadBrand, MastheadContent, MastheadLogo, MastheadMain,
  MenuToggle, Nav, NavItem, NavList, Page, PageSection, Toolbar, ToolbarContent, ToolbarItem,
} from "@patternfly/react-core";
import UserIcon from "@patternfly/react-icons/dist/esm/icons/user-icon";
import { useState } from "react";
import { Link, Outlet, useLocation, useNavigate } from "react-router-dom";
import { ApiError, asApiError } from "../api/client";
import { useSession } from "../session";
import { Problem } from "./problem";

function UserMenu({ onProblem }: { onProblem: (problem: ApiError | null) => void }) {
  const { who, logout } = useSession();
  const [open, setOpen] = useState(false);
  const navigate = useNavigate();
  const leave = async () => {
    onProblem(null);
    try {
      await logout();
    } catch (reason) {
      const { status, code, message, hint } = asApiError(reason);
      onProblem(new ApiError(status, code, `You may still be logged in. ${message}`, hint));
    }
  };
  return (
    <Dropdown isOpen={open} onOpenChange={setOpen} onSelect={() => setOpen(false)} popperProps={{ position: "right" }}
      toggle={(ref) => (
        <MenuToggle ref={ref} icon={<UserIcon />} isExpanded={open} onClick={() => setOpen(!open)}
          aria-label={`Account of ${who?.user ?? ""}`}>
          {who?.user}
        </MenuToggle>
      )}>
      <DropdownList>
        <DropdownItem onClick={() => navigate("/account")}>Account</DropdownItem>
        <DropdownItem onClick={() => void leave()}>Log out</DropdownItem>
      </DropdownList>
    </Dropdown>
  );
}

function usePlaces() {
  const { who } = useSession();
  const path = useLocation().pathname;
  const places = [["/desktops", "Desktops"], ["/account", "Account"], ...(who?.admin ? [["/admin", "Administration"]] : [])];
  return { places, path };
}

/** On a phone: a row of its own below the masthead. */
function PlacesRow() {
  const { places, path } = usePlaces();
  return (
    <nav className="fw-places-row" aria-label="Pages">
      {places.map(([to = "", label]) => (
        <Link key={to} to={to} aria-current={path.startsWith(to) ? "page" : undefined}>{label}</Link>
      ))}
    </nav>
  );
}

function Places() {
  const { places, path } = usePlaces();
  return (
    <Nav variant="horizontal" aria-label="Pages">
      <NavList>
        {places.map(([to, label]) => (
          <NavItem key={to} isActive={path.startsWith(to ?? "")}>
            <Link to={to ?? ""}>{label}</Link>
          </NavItem>
        ))}
      </NavList>
    </Nav>
  );
}

export function Layout() {
  const [problem, setProblem] = useState<ApiError | null>(null);
  return (
    <Page className="fw-page"
      masthead={
        <Masthead display={{ default: "inline" }}>
          <MastheadMain>
            <MastheadBrand>
              <MastheadLogo component={(props) => <Link {...props} to="/desktops" aria-label="Fernwerk" />}>
                <Brand src="/icon.svg" alt="" heights={{ default: "32px" }} />
                <span className="fw-name">Fernwerk</span>
              </MastheadLogo>
            </MastheadBrand>
          </MastheadMain>
          <MastheadContent>
            <Toolbar isStatic>
              <ToolbarContent>
                <ToolbarItem className="fw-places"><Places /></ToolbarItem>
                <ToolbarItem align={{ default: "alignEnd" }}><UserMenu onProblem={setProblem} /></ToolbarItem>
              </ToolbarContent>
            </Toolbar>
          </MastheadContent>
        </Masthead>
      }>
      <PlacesRow />
      <PageSection isFilled className="fw-main">
        <Problem error={problem} onClose={() => setProblem(null)} />
        <Outlet />
      </PageSection>
    </Page>
  );
}
