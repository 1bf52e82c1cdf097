// Templates: what desktops are made from.
import { ExpandableSection, FormGroup, FormSelect, FormSelectOption, Grid, GridItem, TextInput } from "@patternfly/react-core";
import { useState } from "react";
import { api } from "../../api/client";
import type { Template } from "../../api/types";
import { Confirm, type Question } from "../../components/confirm";
import { FormDialog } from "../../components/form-dialog";
import { useLoaded } from "../../components/hooks";
import { ResourceTable } from "../../components/resource-table";

interface FieldKind {
  label: string;
  start: string;
  numeric?: boolean;
  wide?: boolean;
  /** Only a virtual machine has it. */
  vm?: boolean;
  /** Stands among what most people leave alone. */
  rare?: boolean;
  choices?: readonly (readonly [string, string])[];
}

const fields = {
  name: { label: "Name", start: "", wide: true },
  image: { label: "Image (path of a qcow2 file)", start: "", wide: true, vm: true },
  memory_mib: { label: "Memory (MiB)", start: "2048", numeric: true, vm: true },
  vcpus: { label: "Virtual CPUs", start: "2", numeric: true, vm: true },
  width: { label: "Width (px)", start: "1920", numeric: true },
  height: { label: "Height (px)", start: "1080", numeric: true },
  xkb_layout: { label: "Keyboard layout", start: "us" },
  xkb_variant: { label: "Keyboard variant", start: "" },
  firmware: { label: "Firmware", start: "bios", vm: true, rare: true, choices: [["bios", "BIOS"], ["uefi", "UEFI"]] },
  video: {
    label: "Graphics card", start: "virtio", vm: true, rare: true, choices: [["virtio", "virtio"], ["vga", "Standard VGA"]],
  },
  kernel: { label: "Kernel (path, boots without a boot loader)", start: "", wide: true, vm: true, rare: true },
  initrd: { label: "Initial RAM file system (path)", start: "", wide: true, vm: true, rare: true },
  cmdline: { label: "Kernel command line", start: "", wide: true, vm: true, rare: true },
} as const satisfies Partial<Record<keyof Template, FieldKind>>;
type Field = keyof typeof fields;
const all = Object.entries(fields) as [Field, FieldKind][];

function Fields({ shown, values, change }: {
  shown: [Field, FieldKind][];
  values: Record<Field, string>;
  change: (key: Field, value: string) => void;
}) {
  return (
    <Grid hasGutter>
      {shown.map(([key, { label, wide, numeric, choices }]) => (
        <GridItem key={key} sm={wide ? 12 : 6}>
          <FormGroup label={label} fieldId={`template-${key}`}>
            {choices ? (
              <FormSelect id={`template-${key}`} value={values[key]} onChange={(_, v) => change(key, v)}>
                {choices.map(([value, text]) => <FormSelectOption key={value} value={value} label={text} />)}
              </FormSelect>
            ) : (
              <TextInput id={`template-${key}`} value={values[key]} type={numeric ? "number" : "text"}
                onChange={(_, v) => change(key, v)} />
            )}
          </FormGroup>
        </GridItem>
      ))}
    </Grid>
  );
}

function AddTemplate({ onClose }: { onClose: (done: boolean) => void }) {
  const [kind, setKind] = useState<Template["kind"]>("vm");
  const [values, setValues] = useState(
    () => Object.fromEntries(all.map(([key, { start }]) => [key, start])) as Record<Field, string>,
  );
  const [more, setMore] = useState(false);
  const shown = all.filter(([, { vm }]) => kind === "vm" || !vm);
  const rare = shown.filter(([, field]) => field.rare);
  const boots = kind === "pattern" || values.image !== "" || values.kernel !== "";
  const change = (key: Field, value: string) => setValues({ ...values, [key]: value });
  const submit = () => {
    const filled = shown.filter(([key]) => values[key] !== ""); // the rest is the server's choice
    const pairs = filled.map(([key, { numeric }]) => [key, numeric ? Number(values[key]) : values[key]]);
    return api.addTemplate({ ...(Object.fromEntries(pairs) as Partial<Template>), kind });
  };
  return (
    <FormDialog title="Add a template" action="Add" ready={values.name !== "" && boots} onClose={onClose} submit={submit}>
      <FormGroup label="Kind" fieldId="template-kind">
        <FormSelect id="template-kind" value={kind} onChange={(_, v) => setKind(v === "pattern" ? "pattern" : "vm")}>
          <FormSelectOption value="vm" label="Virtual machine" />
          <FormSelectOption value="pattern" label="Test pattern (no virtual machine)" />
        </FormSelect>
      </FormGroup>
      <Fields shown={shown.filter(([, field]) => !field.rare)} values={values} change={change} />
      {!boots && <p className="fw-dim">A virtual machine needs an image, or a kernel under “Boot and hardware”.</p>}
      {rare.length > 0 && (
        <ExpandableSection toggleText="Boot and hardware" isExpanded={more} onToggle={(_, now) => setMore(now)}>
          <Fields shown={rare} values={values} change={change} />
        </ExpandableSection>
      )}
    </FormDialog>
  );
}

export function TemplatesAdmin() {
  const { data, error, reload } = useLoaded(api.templates);
  const [question, setQuestion] = useState<Question | null>(null);
  const [adding, setAdding] = useState(false);
  const close = (done: boolean) => {
    setQuestion(null);
    setAdding(false);
    if (done) void reload();
  };
  const actions = (template: Template) => [
    {
      title: "Remove…", onClick: () => setQuestion({
        title: `Remove ${template.name}?`, body: "The image file itself stays.", action: "Remove", danger: true,
        run: () => api.removeTemplate(template.name),
      }),
    },
  ];
  return (
    <>
      <ResourceTable label="templates" items={data} error={error} id={(t) => t.name}
        text={(t) => `${t.name} ${t.image}`} actions={actions}
        add={{ label: "Add template", run: () => setAdding(true) }} empty="There are no templates yet"
        columns={[
          { title: "Name", cell: (t) => t.name },
          { title: "Kind", cell: (t) => (t.kind === "vm" ? "Virtual machine" : "Test pattern") },
          { title: "Image", cell: (t) => <span className="fw-path">{t.image || t.kernel || "–"}</span> },
          { title: "Memory", cell: (t) => (t.kind === "vm" ? `${t.memory_mib} MiB` : "–") },
          { title: "CPUs", cell: (t) => (t.kind === "vm" ? t.vcpus : "–") },
          { title: "Screen", cell: (t) => `${t.width}×${t.height}` },
          { title: "Keyboard", cell: (t) => [t.xkb_layout, t.xkb_variant].filter(Boolean).join(" ") || "–" },
        ]} />
      {adding && <AddTemplate onClose={close} />}
      <Confirm question={question} onClose={close} />
    </>
  );
}
