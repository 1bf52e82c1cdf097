// Templates: what desktops are made from.
import { FormGroup, FormSelect, FormSelectOption, Grid, GridItem, TextInput } from "@patternfly/react-core";
import { useState } from "react";
import { api } from "../../api/client";
import type { Template } from "../../api/types";
import { Confirm, type Question } from "../../components/confirm";
import { FormDialog } from "../../components/form-dialog";
import { useLoaded } from "../../components/hooks";
import { ResourceTable } from "../../components/resource-table";

const fields = [
  ["name", "Name", ""], ["image", "Image (path of a qcow2 file)", ""], ["memory_mib", "Memory (MiB)", "2048"],
  ["vcpus", "Virtual CPUs", "2"], ["width", "Width (px)", "1920"], ["height", "Height (px)", "1080"],
  ["xkb_layout", "Keyboard layout", "us"],
] as const;
type Field = (typeof fields)[number][0];
const numeric = new Set<Field>(["memory_mib", "vcpus", "width", "height"]);

function AddTemplate({ onClose }: { onClose: (done: boolean) => void }) {
  const [kind, setKind] = useState<Template["kind"]>("vm");
  const [values, setValues] = useState(
    () => Object.fromEntries(fields.map(([key, , start]) => [key, start])) as Record<Field, string>,
  );
  const shown = fields.filter(([key]) => kind === "vm" || !["image", "memory_mib", "vcpus"].includes(key));
  const submit = () => {
    const pairs = shown.map(([key]) => [key, numeric.has(key) ? Number(values[key]) : values[key]]);
    return api.addTemplate({ ...(Object.fromEntries(pairs) as Partial<Template>), kind });
  };
  return (
    <FormDialog title="Add a template" action="Add" ready={values.name !== ""} onClose={onClose} submit={submit}>
      <FormGroup label="Kind" fieldId="template-kind">
        <FormSelect id="template-kind" value={kind} onChange={(_, v) => setKind(v === "pattern" ? "pattern" : "vm")}>
          <FormSelectOption value="vm" label="Virtual machine" />
          <FormSelectOption value="pattern" label="Test pattern (no virtual machine)" />
        </FormSelect>
      </FormGroup>
      <Grid hasGutter>
        {shown.map(([key, label]) => (
          <GridItem key={key} sm={key === "name" || key === "image" ? 12 : 6}>
            <FormGroup label={label} fieldId={`template-${key}`}>
              <TextInput id={`template-${key}`} value={values[key]} type={numeric.has(key) ? "number" : "text"}
                onChange={(_, v) => setValues({ ...values, [key]: v })} />
            </FormGroup>
          </GridItem>
        ))}
      </Grid>
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
