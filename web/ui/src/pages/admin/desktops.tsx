// All desktops: making, switching, assigning.
import { FormGroup, FormSelect, FormSelectOption, TextInput } from "@patternfly/react-core";
import { useState } from "react";
import { ApiError, api, asApiError } from "../../api/client";
import type { Desktop } from "../../api/types";
import { Confirm, type Question } from "../../components/confirm";
import { FormDialog } from "../../components/form-dialog";
import { useLoaded } from "../../components/hooks";
import { POWER_ACTIONS, powerMakesSense, powerQuestion } from "../../components/power";
import { ResourceTable } from "../../components/resource-table";
import { StateLabel } from "../../components/state-label";

function CreateDesktop({ onClose }: { onClose: (done: boolean) => void }) {
  const { data: templates } = useLoaded(api.templates, 60_000);
  const [name, setName] = useState("");
  const [chosen, setChosen] = useState("");
  const template = chosen || templates?.[0]?.name || "";
  return (
    <FormDialog title="Create a desktop" action="Create" ready={name !== "" && template !== ""} onClose={onClose}
      submit={() => api.createDesktop(name, template)}>
      <FormGroup label="Name" fieldId="desktop-name">
        <TextInput id="desktop-name" value={name} autoComplete="off" onChange={(_, v) => setName(v)} />
      </FormGroup>
      <FormGroup label="Template" fieldId="desktop-template">
        <FormSelect id="desktop-template" value={template} onChange={(_, v) => setChosen(v)}>
          {(templates ?? []).map((t) => <FormSelectOption key={t.name} value={t.name} label={t.name} />)}
        </FormSelect>
      </FormGroup>
    </FormDialog>
  );
}

function Assign({ desktop, onClose }: { desktop: Desktop; onClose: (done: boolean) => void }) {
  const { data: users } = useLoaded(api.users, 60_000);
  const [chosen, setChosen] = useState("");
  const [freed, setFreed] = useState(false);
  const assigned = freed ? null : desktop.assigned;
  const candidates = (users ?? []).filter((user) => user.name !== assigned);
  const user = chosen || candidates[0]?.name || "";
  /* A desktop has one owner: it must be free before it can be given to another. */
  const submit = async () => {
    if (assigned) {
      await api.unassign(desktop.name);
      setFreed(true);
      setChosen(user);
    }
    try {
      await api.assign(desktop.name, user);
    } catch (reason) {
      if (!assigned) throw reason;
      const { status, code, message, hint } = asApiError(reason);
      throw new ApiError(status, code, `It was taken from ${assigned} and is now unassigned: ${message}`, hint);
    }
  };
  return (
    <FormDialog title={`Assign ${desktop.name}`} action={assigned ? "Reassign" : "Assign"} ready={user !== ""}
      onClose={(done) => onClose(done || freed)} submit={submit}>
      <FormGroup label="User" fieldId="assign-user">
        <FormSelect id="assign-user" value={user} onChange={(_, v) => setChosen(v)}>
          {candidates.map((u) => <FormSelectOption key={u.name} value={u.name} label={u.name} />)}
        </FormSelect>
      </FormGroup>
      {assigned && <p className="fw-dim">It is taken from {assigned} first, whose session ends at once.</p>}
    </FormDialog>
  );
}

export function DesktopsAdmin() {
  const { data, error, reload } = useLoaded(api.desktops, 3000);
  const [question, setQuestion] = useState<Question | null>(null);
  const [creating, setCreating] = useState(false);
  const [assigning, setAssigning] = useState<Desktop | null>(null);
  const close = (done: boolean) => {
    setQuestion(null);
    setCreating(false);
    setAssigning(null);
    if (done) void reload();
  };
  const actions = (desktop: Desktop) => {
    const power = ({ action, label, description }: (typeof POWER_ACTIONS)[number]) => ({
      title: label, description, isDanger: action === "reset", isDisabled: !powerMakesSense(action, desktop.state),
      onClick: () => setQuestion(powerQuestion(desktop.name, action, () => api.desktopPower(desktop.name, action))),
    });
    return [
      { title: "Assign…", onClick: () => setAssigning(desktop) },
      {
        title: "Unassign…", isDisabled: !desktop.assigned, onClick: () => setQuestion({
          title: `Take ${desktop.name} from ${desktop.assigned ?? ""}?`, body: "The user's session ends at once.",
          action: "Unassign", danger: true, run: () => api.unassign(desktop.name),
        }),
      },
      { isSeparator: true },
      ...POWER_ACTIONS.map(power),
      { isSeparator: true },
      {
        title: "Remove…", onClick: () => setQuestion({
          title: `Remove ${desktop.name}?`, body: "The desktop and its disk are deleted. This cannot be undone.",
          action: "Remove", danger: true, run: () => api.removeDesktop(desktop.name),
        }),
      },
    ];
  };
  return (
    <>
      <ResourceTable label="desktops" items={data} error={error} id={(d) => d.name}
        text={(d) => `${d.name} ${d.assigned ?? ""} ${d.template}`} actions={actions}
        add={{ label: "Create desktop", run: () => setCreating(true) }} empty="There are no desktops yet"
        columns={[
          { title: "Name", cell: (d) => d.name },
          { title: "State", cell: (d) => <StateLabel state={d.state} /> },
          { title: "Reason", cell: (d) => d.reason || "–" },
          { title: "Assigned to", cell: (d) => d.assigned ?? "–" },
          { title: "Connected", cell: (d) => d.user ?? "–" },
          { title: "Template", cell: (d) => d.template },
        ]} />
      {creating && <CreateDesktop onClose={close} />}
      {assigning && <Assign desktop={assigning} onClose={close} />}
      <Confirm question={question} onClose={close} />
    </>
  );
}
