// What can only be looked at: encoders, audit, the node's processes.
import {
  Button, DescriptionList, DescriptionListDescription, DescriptionListGroup, DescriptionListTerm, Label,
} from "@patternfly/react-core";
import { useCallback, useState } from "react";
import { api } from "../../api/client";
import type { AuditEntry } from "../../api/types";
import { useLoaded } from "../../components/hooks";
import { ResourceTable } from "../../components/resource-table";
import { localTime } from "../../components/time";

export function EncodersPage() {
  const { data, error } = useLoaded(api.encoders, 30_000);
  return (
    <ResourceTable label="encoders" items={data} error={error} id={(e) => e.element} text={(e) => `${e.element} ${e.reason}`}
      empty="No encoder was proven yet"
      columns={[
        { title: "Element", cell: (e) => e.element },
        { title: "Verdict", cell: (e) => (
          <Label isCompact color={e.chosen ? "green" : e.usable ? "blue" : "grey"}>
            {e.chosen ? "In use" : e.usable ? "Usable" : "Not usable"}
          </Label>
        ) },
        { title: "Kind", cell: (e) => (e.hardware ? "Hardware" : "Software") },
        { title: "Frames/s", cell: (e) => e.fps || "–" },
        { title: "Reason", cell: (e) => e.reason },
      ]} />
  );
}

export function AuditPage() {
  const [older, setOlder] = useState<AuditEntry[]>([]);
  const load = useCallback(() => api.audit(), []);
  const { data, error } = useLoaded(load, 5000);
  const newest = data ?? [];
  const oldestNew = newest[newest.length - 1]?.id ?? 0;
  const all = data ? [...newest, ...older.filter((entry) => entry.id < oldestNew)] : undefined;
  const last = all?.[all.length - 1]?.id;
  const more = async () => {
    if (last !== undefined) setOlder([...older, ...(await api.audit(last).catch(() => []))]);
  };
  return (
    <>
      <ResourceTable label="audit" items={all} error={error} id={(a) => String(a.id)}
        text={(a) => `${a.actor} ${a.action} ${a.object} ${a.result}`} empty="Nothing has happened yet"
        columns={[
          { title: "Time", cell: (a) => localTime(a.time) },
          { title: "Actor", cell: (a) => a.actor },
          { title: "Action", cell: (a) => a.action },
          { title: "Object", cell: (a) => a.object },
          { title: "Result", cell: (a) => a.result },
          { title: "Address", cell: (a) => a.address || "–" },
        ]} />
      {last !== undefined && last > 1 && <Button variant="link" onClick={() => void more()}>Show older entries</Button>}
    </>
  );
}

export function StatusPage() {
  const { data, error } = useLoaded(api.status, 3000);
  const facts = data && [["Version", data.version], ["Instance", data.instance], ["libvirt", data.libvirt],
    ["Virtualisation", data.virt]];
  return (
    <>
      {facts && (
        <DescriptionList isHorizontal isCompact className="fw-facts">
          {facts.map(([term, text]) => (
            <DescriptionListGroup key={term}>
              <DescriptionListTerm>{term}</DescriptionListTerm>
              <DescriptionListDescription>{text || "–"}</DescriptionListDescription>
            </DescriptionListGroup>
          ))}
        </DescriptionList>
      )}
      <ResourceTable label="processes" items={data?.processes} error={error} id={(p) => String(p.pid)}
        text={(p) => `${p.kind} ${p.user} ${p.desktop}`} empty="No process is reported"
        columns={[
          { title: "Process", cell: (p) => p.kind },
          { title: "PID", cell: (p) => p.pid },
          { title: "User", cell: (p) => p.user || "–" },
          { title: "Desktop", cell: (p) => p.desktop || "–" },
        ]} />
    </>
  );
}
