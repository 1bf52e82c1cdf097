// A table of things with actions on each, and a button that adds one. All admin pages are made of it.
import {
  Button, EmptyState, EmptyStateBody, SearchInput, Skeleton, Toolbar, ToolbarContent, ToolbarItem,
} from "@patternfly/react-core";
import SearchIcon from "@patternfly/react-icons/dist/esm/icons/search-icon";
import { ActionsColumn, Table, Tbody, Td, Th, Thead, Tr, type IAction } from "@patternfly/react-table";
import { useState, type ReactNode } from "react";
import type { ApiError } from "../api/client";
import { Problem } from "./problem";

export interface Column<T> {
  title: string;
  cell: (item: T) => ReactNode;
}

interface Props<T> {
  label: string;
  columns: Column<T>[];
  items: T[] | undefined;
  error: ApiError | null;
  id: (item: T) => string;
  /** What the search field looks through. */
  text: (item: T) => string;
  actions?: (item: T) => IAction[];
  add?: { label: string; run: () => void };
  empty: string;
}

export function ResourceTable<T>({ label, columns, items, error, id, text, actions, add, empty }: Props<T>) {
  const [search, setSearch] = useState("");
  const wanted = search.toLowerCase();
  const shown = items?.filter((item) => text(item).toLowerCase().includes(wanted));
  return (
    <>
      <Problem error={error} />
      <Toolbar>
        <ToolbarContent>
          <ToolbarItem className="fw-search">
            <SearchInput aria-label={`Search ${label}`} placeholder="Search" value={search}
              onChange={(_, value) => setSearch(value)} onClear={() => setSearch("")} />
          </ToolbarItem>
          {add && <ToolbarItem><Button onClick={add.run}>{add.label}</Button></ToolbarItem>}
        </ToolbarContent>
      </Toolbar>
      {!items && !error && <Skeleton height="8rem" screenreaderText={`Loading ${label}`} />}
      {shown?.length === 0 && (
        <EmptyState icon={SearchIcon} titleText={search ? "Nothing found" : empty} headingLevel="h2" variant="sm">
          {search && <EmptyStateBody>Nothing here contains “{search}”.</EmptyStateBody>}
        </EmptyState>
      )}
      {shown && shown.length > 0 && (
        <Table aria-label={label} variant="compact">
          <Thead>
            <Tr>
              {columns.map((column) => <Th key={column.title}>{column.title}</Th>)}
              {actions && <Th screenReaderText="Actions" />}
            </Tr>
          </Thead>
          <Tbody>
            {shown.map((item) => (
              <Tr key={id(item)}>
                {columns.map((column) => <Td key={column.title} dataLabel={column.title}>{column.cell(item)}</Td>)}
                {actions && <Td isActionCell><ActionsColumn items={actions(item)} /></Td>}
              </Tr>
            ))}
          </Tbody>
        </Table>
      )}
    </>
  );
}
