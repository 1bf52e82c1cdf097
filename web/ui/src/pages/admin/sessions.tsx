// Who is connected to what, and ending it.
import { useState } from "react";
import { api } from "../../api/client";
import type { Session } from "../../api/types";
import { Confirm, type Question } from "../../components/confirm";
import { useLoaded } from "../../components/hooks";
import { ResourceTable } from "../../components/resource-table";
import { localTime } from "../../components/time";

export function SessionsAdmin() {
  const { data, error, reload } = useLoaded(api.sessions, 2000);
  const [question, setQuestion] = useState<Question | null>(null);
  const close = (done: boolean) => {
    setQuestion(null);
    if (done) void reload();
  };
  const actions = (session: Session) => [
    {
      title: "End…", onClick: () => setQuestion({
        title: `End the session of ${session.user}?`,
        body: `The connection to ${session.desktop} is cut. The desktop itself runs on.`, action: "End session",
        danger: true, run: () => api.killSession(session.id),
      }),
    },
  ];
  return (
    <>
      <ResourceTable label="sessions" items={data} error={error} id={(s) => String(s.id)}
        text={(s) => `${s.user} ${s.desktop} ${s.address}`} actions={actions} empty="Nobody is connected"
        columns={[
          { title: "User", cell: (s) => s.user },
          { title: "Desktop", cell: (s) => s.desktop },
          { title: "Protocol", cell: (s) => s.protocol },
          { title: "Address", cell: (s) => s.address },
          { title: "Since", cell: (s) => localTime(s.since) },
        ]} />
      <Confirm question={question} onClose={close} />
    </>
  );
}
