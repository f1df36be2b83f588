/**
 * The truth about this machine: what is enforced, what is only watched, what is not possible.
 *
 * Layer: agent. Promise 6 of the product: nothing is claimed that is not enforced.
 * Not here: probing (`facts.ts`).
 */
import type { DoctorFinding } from '../../contracts/local-api.js';
import type { MachineFacts } from './facts.js';

type State = DoctorFinding['state'];

function finding(
  check: string,
  state: State,
  reason: string,
  nextStep: string | null = null,
): DoctorFinding {
  return { check, state, reason, nextStep };
}

/** Every check, in the order in which people should read them. */
export function judgeMachine(facts: MachineFacts): DoctorFinding[] {
  return [
    encryption(facts),
    sessions(facts),
    ...operations(facts),
    keys(facts),
    swap(facts),
    coreDumps(facts),
    desktopBus(facts),
  ];
}

function encryption(facts: MachineFacts): DoctorFinding {
  if (!facts.sealfsBuilt) {
    return finding('open and save', 'not-possible', 'sealfs is not built', 'run scripts/setup');
  }
  if (facts.fuseDevice && facts.watchedOnly) {
    return finding(
      'open and save',
      'watched',
      'started with --watched-folder: files are sealed after they are written, and nobody gets a plain view',
      'start without --watched-folder',
    );
  }
  if (facts.fuseDevice) {
    return finding(
      'open and save',
      'enforced',
      `two views by sealfs (FUSE, Linux ${facts.kernel})`,
    );
  }
  return finding(
    'open and save',
    'watched',
    '/dev/fuse cannot be opened: files are sealed after they are written, and nobody gets a plain view',
    'load the fuse module (modprobe fuse), or give this account access to /dev/fuse',
  );
}

function sessions(facts: MachineFacts): DoctorFinding {
  if (facts.watchedOnly) {
    return finding('sealed sessions', 'not-possible', 'they need sealfs, which does not run here');
  }
  if (!facts.sessiondBuilt || !facts.bubblewrap) {
    const missing = facts.bubblewrap ? 'sessiond is not built' : 'bubblewrap is not installed';
    return finding('sealed sessions', 'not-possible', missing, 'run scripts/setup');
  }
  if (facts.serviceMode) {
    return finding(
      'sealed sessions',
      'enforced',
      'user namespace owned by root: programs of the same user cannot look in',
    );
  }
  return finding(
    'sealed sessions',
    'warning',
    'personal mode: another program of this account can read a session through /proc and ptrace',
    'run the agent as a service (sudo sealway up)',
  );
}

function operations(facts: MachineFacts): DoctorFinding[] {
  const later = 'this version does not control it; inside a session the way is closed';
  const capture = {
    x11: 'X11 lets every program of this display read the screen',
    wayland: 'no Wayland protocol lets a program exclude its window from capture',
    none: 'no display server is running here',
  }[facts.display];
  return [
    finding('outbound network', 'enforced', 'a sealed session has no network'),
    finding('save elsewhere', 'enforced', 'outside protected folders a session can only read'),
    finding('print', 'enforced', `no printer is reachable from a session; ${later}`),
    finding(
      'clipboard',
      facts.display === 'none' ? 'ok' : 'not-possible',
      facts.display === 'none'
        ? 'no display server is running here'
        : 'text copied in a session can be pasted by every program of this display',
    ),
    finding('screen capture', facts.display === 'none' ? 'ok' : 'not-possible', capture),
  ];
}

function keys(facts: MachineFacts): DoctorFinding {
  return finding('keys', facts.keyStoreWeak ? 'warning' : 'ok', facts.keyStore);
}

function swap({ swapDevices }: MachineFacts): DoctorFinding {
  if (swapDevices.length === 0)
    return finding('swap', 'ok', 'no swap: memory never reaches a disk');
  const encrypted = swapDevices.every((device) => /\/dm-|\/mapper\/|zram/.test(device));
  if (encrypted)
    return finding('swap', 'ok', `swap on ${swapDevices.join(', ')} (mapped or in memory)`);
  return finding(
    'swap',
    'warning',
    `plain swap on ${swapDevices.join(', ')}: memory of a session may reach the disk in the clear`,
    'encrypt the swap device, or use zram',
  );
}

function coreDumps({ corePattern }: MachineFacts): DoctorFinding {
  return finding(
    'core dumps',
    'enforced',
    `sessions and guards write none (limit 0); the system's pattern is ${corePattern || 'unknown'}`,
  );
}

function desktopBus({ dbusProxy }: MachineFacts): DoctorFinding {
  if (dbusProxy)
    return finding('desktop bus', 'enforced', 'xdg-dbus-proxy lets only listed names through');
  return finding(
    'desktop bus',
    'warning',
    'xdg-dbus-proxy is missing: sessions get no desktop bus at all',
    'install xdg-dbus-proxy',
  );
}
