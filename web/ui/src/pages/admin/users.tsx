// Accounts: adding, passwords, disabling, removing.
import { Checkbox, FormGroup, Label, TextInput } from "@patternfly/react-core";
import { useState } from "react";
import { api } from "../../api/client";
import type { User } from "../../api/types";
import { Confirm, type Question } from "../../components/confirm";
import { FormDialog } from "../../components/form-dialog";
import { useLoaded } from "../../components/hooks";
import { ResourceTable } from "../../components/resource-table";

function AddUser({ onClose }: { onClose: (done: boolean) => void }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [admin, setAdmin] = useState(false);
  return (
    <FormDialog title="Add a user" action="Add" ready={name !== "" && password !== ""} onClose={onClose}
      submit={() => api.addUser(name, password, admin)}>
      <FormGroup label="Name" fieldId="user-name">
        <TextInput id="user-name" value={name} autoComplete="off" onChange={(_, v) => setName(v)} />
      </FormGroup>
      <FormGroup label="Password" fieldId="user-password">
        <TextInput id="user-password" type="password" autoComplete="new-password" value={password}
          onChange={(_, v) => setPassword(v)} />
      </FormGroup>
      <Checkbox id="user-admin" label="Administrator" isChecked={admin} onChange={(_, v) => setAdmin(v)} />
    </FormDialog>
  );
}

function SetPassword({ user, onClose }: { user: User; onClose: (done: boolean) => void }) {
  const [password, setPassword] = useState("");
  return (
    <FormDialog title={`New password for ${user.name}`} action="Set" ready={password !== ""} onClose={onClose}
      submit={() => api.setPassword(user.name, password)}>
      <FormGroup label="Password" fieldId="new-password">
        <TextInput id="new-password" type="password" autoComplete="new-password" value={password}
          onChange={(_, v) => setPassword(v)} />
      </FormGroup>
      <p className="fw-dim">All sessions of {user.name} end.</p>
    </FormDialog>
  );
}

export function UsersAdmin() {
  const { data, error, reload } = useLoaded(api.users);
  const [question, setQuestion] = useState<Question | null>(null);
  const [adding, setAdding] = useState(false);
  const [passwordOf, setPasswordOf] = useState<User | null>(null);
  const close = (done: boolean) => {
    setQuestion(null);
    setAdding(false);
    setPasswordOf(null);
    if (done) void reload();
  };
  const actions = (user: User) => [
    { title: "Set password…", onClick: () => setPasswordOf(user) },
    user.disabled
      ? {
          title: "Enable", onClick: () => setQuestion({
            title: `Enable ${user.name}?`, body: "The user can log in again.", action: "Enable",
            run: () => api.enableUser(user.name),
          }),
        }
      : {
          title: "Disable…", onClick: () => setQuestion({
            title: `Disable ${user.name}?`, body: "The user's sessions end at once.", action: "Disable", danger: true,
            run: () => api.disableUser(user.name),
          }),
        },
    {
      title: "Remove…", onClick: () => setQuestion({
        title: `Remove ${user.name}?`, body: "The account is deleted and its sessions end. Assigned desktops become free.",
        action: "Remove", danger: true, run: () => api.removeUser(user.name),
      }),
    },
  ];
  return (
    <>
      <ResourceTable label="users" items={data} error={error} id={(u) => u.name} text={(u) => u.name} actions={actions}
        add={{ label: "Add user", run: () => setAdding(true) }} empty="There are no users yet"
        columns={[
          { title: "Name", cell: (u) => u.name },
          { title: "Role", cell: (u) => (u.admin ? <Label isCompact color="purple">Administrator</Label> : "User") },
          { title: "State", cell: (u) => (u.disabled ? <Label isCompact color="red">Disabled</Label> : "Active") },
        ]} />
      {adding && <AddUser onClose={close} />}
      {passwordOf && <SetPassword user={passwordOf} onClose={close} />}
      <Confirm question={question} onClose={close} />
    </>
  );
}
