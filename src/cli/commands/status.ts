/** `sealway status`, `folders`, `sessions`, `doctor`: what is, without changing anything. Layer: cli. */
import {
  DoctorAnswer,
  FoldersAnswer,
  SessionsAnswer,
  StatusAnswer,
  type DoctorFinding,
  type FolderStatus,
} from '../../contracts/local-api.js';
import type { Context } from '../context.js';
import { formatTable } from '../output.js';

export async function showStatus({ agent, out }: Context): Promise<void> {
  const status = await agent.ask('status', {}, StatusAnswer);
  out.value(status);
  out.line(
    `agent     running, pid ${String(status.pid)}, ${status.mode} mode, since ${localTime(status.startedAtMs)}`,
  );
  out.line(`policy    ${status.policy.name} (${status.policy.version})`);
  for (const error of status.policy.errors) out.line(`          not loaded: ${error}`);
  out.line(
    `records   ${String(status.records.lastSequence)}, head ${status.records.headHash.slice(0, 16)}`,
  );
  out.line(`sessions  ${String(status.sessions)}`);
  out.line(`folders   ${String(status.folders.length)}`);
  for (const line of folderLines(status.folders)) out.line(`  ${line}`);
}

export async function listFolders({ agent, out }: Context): Promise<void> {
  const answer = await agent.ask('folders', {}, FoldersAnswer);
  out.value(answer);
  if (answer.folders.length === 0)
    out.line('No folder is protected yet. Protect one with: sealway protect DIR');
  for (const line of folderLines(answer.folders)) out.line(line);
}

export async function listSessions({ agent, out }: Context): Promise<void> {
  const answer = await agent.ask('sessions', {}, SessionsAnswer);
  out.value(answer);
  if (answer.sessions.length === 0)
    out.line('No sealed session is running. Start one with: sealway open FILE');
  const rows = answer.sessions.map((session) => [
    session.id.slice(0, 8),
    session.user,
    session.application,
    localTime(session.startedAtMs),
    session.argv.join(' '),
  ]);
  for (const line of formatTable(rows)) out.line(line);
}

export async function runDoctor({ agent, out }: Context): Promise<void> {
  const answer = await agent.ask('doctor', {}, DoctorAnswer);
  out.value(answer);
  for (const line of doctorLines(answer.findings)) out.line(line);
}

/** Findings as text: what holds first, then what does not and what to do about it. */
export function doctorLines(findings: readonly DoctorFinding[]): string[] {
  const rows = findings.map(({ check, state, reason }) => [state, check, reason]);
  const steps = findings.flatMap(({ check, nextStep }) =>
    nextStep === null ? [] : [`  ${check}: ${nextStep}`],
  );
  return [...formatTable(rows), ...(steps.length === 0 ? [] : ['', 'Next steps:', ...steps])];
}

function folderLines(folders: readonly FolderStatus[]): string[] {
  return formatTable(
    folders.map(({ directory, state, label, area, engine, detail }) => [
      directory,
      state,
      label,
      area,
      engine,
      detail,
    ]),
  );
}

export function localTime(ms: number): string {
  const date = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${String(date.getFullYear())}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
