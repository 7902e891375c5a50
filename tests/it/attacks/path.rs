//! No program is started from the working directory.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Killed, MALLORY, is_root};
use crate::browser::executable;
use crate::support::*;

/// A machine where azt is `az`, and a working directory with an attacker's files.
struct Machine {
    sandbox: Sandbox,
    work: PathBuf,
}

impl Machine {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let work = sandbox.root().join("work");
        std::fs::create_dir_all(work.join("bin")).unwrap();
        Self { sandbox, work }
    }

    /// Plants a program that records that it was run, and its arguments.
    fn lay(&self, name: &str) {
        let text = format!("#!/bin/sh\nenv >{}\n", self.noted().display());
        executable(&self.work.join(name), &text);
    }

    fn noted(&self) -> PathBuf {
        self.sandbox.root().join("owned")
    }

    fn bin(&self) -> String {
        self.sandbox.root().join("bin").to_str().unwrap().to_owned()
    }

    /// The real az, in its own folder.
    fn real(&self) -> String {
        let folder = self.sandbox.root().join("real");
        std::fs::create_dir_all(&folder).unwrap();
        executable(&folder.join("az"), "#!/bin/sh\necho \"the real one: $PATH\"\n");
        folder.to_str().unwrap().to_owned()
    }

    /// Runs `az vm list` with this PATH in the working directory.
    fn vm_list(&self, path: Option<&str>) -> Run {
        let mut command = self.sandbox.az_command(["vm", "list"]);
        command.current_dir(&self.work).env("AZT_VAULT_KEY", "ab".repeat(32));
        match path {
            Some(path) => command.env("PATH", path),
            None => command.env_remove("PATH"),
        };
        Run::of(&mut command)
    }
}

/// Else `./az` would receive the command and the vault key.
#[test]
fn an_az_in_the_working_directory_is_not_the_real_one() {
    let machine = Machine::new();
    machine.lay("az");
    machine.lay("bin/az");
    machine.lay("sh");
    let bin = machine.bin();
    for path in [
        ".".to_owned(),
        String::new(),
        format!("{bin}:."),
        format!(".:{bin}"),
        format!("{bin}:./"),
        format!("{bin}:./bin"),
        format!("{bin}:bin"),
        format!("{bin}:bin/../bin"),
        format!("{bin}:../work"),
        format!("{bin}:"),
        format!(":{bin}"),
        format!("{bin}::/nowhere"),
        "::".to_owned(),
        format!("{bin}:~/bin:$HOME"),
    ] {
        let run = machine.vm_list(Some(&path)).exits(2);
        drop(run.says("There is no other az on PATH that could know it.\n"));
        assert!(!machine.noted().exists(), "{path:?}: ./az was run");
        let real = machine.real();
        let whole = format!("{path}:{real}");
        // The real az receives the user's PATH and the vault key.
        let run = machine.vm_list(Some(&whole)).quiet();
        drop(run.prints(&format!("the real one: {whole}\n")));
        assert!(!machine.noted().exists(), "{whole:?}: ./az was run");
    }
    drop(machine.vm_list(None).exits(2));
    assert!(!machine.noted().exists());
}

#[test]
fn any_az_in_the_working_directory_is_ignored() {
    let machine = Machine::new();
    let real = machine.real();
    let az = machine.work.join("az");
    let ours = machine.sandbox.root().join("bin/az");
    let bin = machine.bin();
    let lays: [(&str, &dyn Fn()); 6] = [
        ("this program", &|| symlink(&ours, &az).unwrap()),
        ("a file", &|| std::fs::write(&az, "").unwrap()),
        ("a folder", &|| std::fs::create_dir(&az).unwrap()),
        ("a link to nothing", &|| symlink("/nowhere", &az).unwrap()),
        ("a link to itself", &|| symlink("az", &az).unwrap()),
        ("a program", &|| machine.lay("az")),
    ];
    for (what, lay) in lays {
        lay();
        for path in [format!("{bin}::{real}"), format!(":{bin}:{real}"), format!(".:{bin}:{real}")]
        {
            let run = machine.vm_list(Some(&path)).quiet();
            assert!(run.stdout.starts_with("the real one: "), "{what}: {run:?}");
        }
        drop(machine.vm_list(Some(&format!("{bin}:"))).exits(2));
        let _ = std::fs::remove_file(&az);
        let _ = std::fs::remove_dir(&az);
    }
    // In an absolute folder an az that is not executable is skipped, as by a shell.
    let folder = machine.sandbox.root().join("odd");
    std::fs::create_dir(&folder).unwrap();
    let az = folder.join("az");
    let lays: [(&str, &dyn Fn()); 4] = [
        ("a folder", &|| std::fs::create_dir(&az).unwrap()),
        ("not executable", &|| std::fs::write(&az, "#!/bin/sh\n").unwrap()),
        ("a link to nothing", &|| symlink("/nowhere", &az).unwrap()),
        ("a link to itself", &|| symlink("az", &az).unwrap()),
    ];
    for (what, lay) in lays {
        lay();
        let run = machine.vm_list(Some(&format!("{bin}:{}:{real}", folder.display()))).quiet();
        assert!(run.stdout.starts_with("the real one: "), "{what}: {run:?}");
        let _ = std::fs::remove_file(&az);
        let _ = std::fs::remove_dir(&az);
    }
}

#[test]
fn a_shim_found_through_a_relative_entry_recognises_itself() {
    let machine = Machine::new();
    let ours = machine.sandbox.root().join("bin/az");
    symlink(&ours, machine.work.join("bin/az")).unwrap();
    machine.lay("az");
    let real = machine.real();
    for (path, argv0) in [
        (format!("bin:.:{real}"), "az"),
        (format!("bin:.:{real}"), "bin/az"),
        (format!("./bin:.:{real}"), "./bin/az"),
        (format!("::bin:{real}"), "az"),
    ] {
        let mut command = machine.sandbox.az_command(["vm", "list"]);
        command.env("PATH", &path).current_dir(&machine.work);
        std::os::unix::process::CommandExt::arg0(&mut command, argv0);
        let run = Run::of(&mut command).quiet();
        assert!(run.stdout.starts_with("the real one: "), "{path} {argv0}: {run:?}");
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", "bin/az vm list"]).env_clear().envs(machine.sandbox.env());
        shell.env("PATH", &path).current_dir(&machine.work);
        let run = Run::of(&mut shell).quiet();
        assert!(run.stdout.starts_with("the real one: "), "{path}: {run:?}");
        assert!(!machine.noted().exists());
    }
}

/// Browsers, openers and the shell are started by name too.
#[test]
fn no_other_program_is_taken_from_the_working_directory() {
    let machine = Machine::new();
    for name in ["sh", "mybrowser", "xdg-open", "xdg-settings", "x-www-browser", "gio", "curl"] {
        machine.lay(name);
    }
    for path in [".:/usr/bin:/bin", ":/usr/bin:/bin", "", "."] {
        for browser in ["mybrowser", "nothing-of-that-name"] {
            let mut command = machine.sandbox.command(["login"]);
            command.current_dir(&machine.work).env("PATH", path).env("BROWSER", browser);
            command.env("AZURE_CORE_LOGIN_TIMEOUT", "1");
            drop(Run::of(&mut command).exits(5));
            assert!(!machine.noted().exists(), "{path:?} {browser}");
        }
        let token = ["login", "--service-principal", "-u", APP, "-t", CONTOSO];
        let command = ["--federated-token-command", "echo e30.e30.x"];
        let mut command = machine.sandbox.command([&token[..], &command].concat());
        let run = Run::of(command.current_dir(&machine.work).env("PATH", path));
        assert!(run.stderr.contains("ERROR: AADSTS"), "the shell was found: {run:?}");
        assert!(!machine.noted().exists(), "{path:?}: ./sh was run");
    }
}

#[test]
fn doctor_reports_a_relative_entry_of_path() {
    let mut sandbox = Sandbox::new();
    for (path, is_told) in [("/usr/bin:/bin", false), (".:/usr/bin", true), ("/usr/bin:", true)] {
        sandbox.set("PATH", path);
        let page = sandbox.azt(["doctor", "--offline"]).stdout;
        assert_eq!(page.contains("Remove that entry from PATH."), is_told, "{path}: {page}");
    }
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A folder in the sandbox that all users can reach.
fn open_place(sandbox: &Sandbox) -> PathBuf {
    set_mode(sandbox.root(), 0o755);
    let place = sandbox.root().join("place");
    std::fs::create_dir(&place).unwrap();
    set_mode(&place, 0o755);
    place
}

fn shim(sandbox: &Sandbox, change: &str, folder: &Path) -> Run {
    sandbox.azt(["shim", change, "--yes", "--dir", folder.to_str().unwrap()])
}

/// A user who can write in the folder could replace az.
#[test]
fn the_shim_is_not_installed_where_others_can_write() {
    if !is_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let place = open_place(&sandbox);
    let refused = |folder: &Path, why: &str, cure: &str| {
        for change in ["install", "remove"] {
            let run = shim(&sandbox, change, folder).exits(1).says(why).says(cure);
            assert!(!run.stderr.contains("This will:"), "{run:?}");
        }
        assert!(!folder.join("az").exists(), "{}", folder.display());
    };
    let folder = place.join("bin's");
    std::fs::create_dir(&folder).unwrap();
    for (mode, group) in [(0o777, 0), (0o757, 0), (0o707, 0), (0o775, 65_534), (0o2775, 65_534)] {
        chown(&folder, None, Some(group)).unwrap();
        set_mode(&folder, mode);
        let path = folder.display().to_string().replace('\'', r"'\''");
        let cure = format!("\nchmod go-w '{path}'\n");
        refused(&folder, &format!("ERROR: Other users can write in {}", folder.display()), &cure);
        // The remedy works.
        let mut shell = Command::new("sh");
        shell.args(["-c", cure.trim()]).current_dir(sandbox.root());
        assert!(shell.status().unwrap().success());
        shim(&sandbox, "install", &folder).exits(0);
        shim(&sandbox, "remove", &folder).exits(0);
    }
    // No such remedy if the path has invisible characters.
    let unseen = place.join("a\nb");
    std::fs::create_dir(&unseen).unwrap();
    set_mode(&unseen, 0o777);
    refused(&unseen, "Other users can write in", "Choose a folder of your own with --dir.");
    // A user-private group.
    chown(&folder, None, Some(0)).unwrap();
    set_mode(&folder, 0o775);
    shim(&sandbox, "install", &folder).exits(0);
    shim(&sandbox, "remove", &folder).exits(0);
    // A shared folder has no chmod remedy: choose another.
    set_mode(&folder, 0o1777);
    refused(&folder, "Other users can write in", "Choose a folder of your own with --dir.");
    set_mode(&folder, 0o755);
    chown(&folder, Some(65_534), None).unwrap();
    refused(&folder, "belongs to another user (uid 65534)", "\nsudo chown -R 0 ");
    chown(&folder, Some(0), None).unwrap();

    // A writable parent allows swapping the folder, unless it is sticky (/tmp).
    for (mode, owner) in [(0o777, 0), (0o755, 65_534), (0o1777, 65_534)] {
        set_mode(&place, mode);
        chown(&place, Some(owner), None).unwrap();
        let why = if owner == 0 { "Other users can write in" } else { "belongs to another user" };
        refused(&folder, why, &place.display().to_string());
        refused(&place.join("new/bin"), why, &place.display().to_string());
        refused(&place.join("new/../bin's/./"), why, &place.display().to_string());
    }
    assert!(!place.join("new").exists());
    chown(&place, Some(0), None).unwrap();
    set_mode(&place, 0o1777);
    shim(&sandbox, "install", &folder).exits(0);
    shim(&sandbox, "remove", &folder).exits(0);

    // The user's own symlinks are followed, others' are not.
    let [ours, theirs] = ["ours", "theirs"].map(|name| place.join(name));
    symlink("./bin's/../bin's", &ours).unwrap();
    shim(&sandbox, "install", &ours).exits(0);
    assert!(folder.join("az").exists());
    shim(&sandbox, "remove", &ours).exits(0);
    symlink(&folder, &theirs).unwrap();
    std::os::unix::fs::lchown(&theirs, Some(65_534), None).unwrap();
    refused(&theirs, "belongs to another user (uid 65534)", "Choose a folder of your own");
    refused(&theirs.join("deeper"), "belongs to another user", "Choose a folder of your own");
    symlink("loop", place.join("loop")).unwrap();
    drop(shim(&sandbox, "install", &place.join("loop")).exits(1));
    std::fs::write(place.join("file"), "").unwrap();
    drop(shim(&sandbox, "install", &place.join("file")).exits(1));
}

/// As Debian's /usr/local/bin, which the group staff can write.
#[test]
fn no_remedy_changes_the_mode_of_roots_folder() {
    if !is_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let place = open_place(&sandbox);
    let program = sandbox.root().join("azt-copy");
    std::fs::copy(env!("CARGO_BIN_EXE_azt"), &program).unwrap();
    let folder = place.to_str().unwrap();
    for (owner, is_cured) in [(0, false), (MALLORY, true)] {
        chown(&place, Some(owner), Some(50)).unwrap();
        set_mode(&place, 0o2775);
        let mut command = Command::new(&program);
        command.args(["shim", "install", "--yes", "--dir", folder]).env_clear();
        command.env("AZURE_CONFIG_DIR", place.join("azure"));
        let run = Run::of(command.uid(MALLORY).gid(MALLORY)).exits(1);
        let run = run.says("Other users can write in").says("(mode 2775)");
        assert_eq!(run.stderr.contains(&format!("chmod go-w {folder}\n")), is_cured, "{run:?}");
        assert_eq!(run.stderr.contains("Choose a folder of your own"), !is_cured, "{run:?}");
    }
}

#[test]
fn new_folders_are_not_writable_by_others() {
    for umask in ["0000", "0002", "0022", "0077"] {
        let sandbox = Sandbox::new();
        let (first, second) = (sandbox.root().join("new"), sandbox.root().join("new/er"));
        let azt = env!("CARGO_BIN_EXE_azt");
        let line =
            format!("umask {umask}; exec {azt} shim install --yes --dir {}", second.display());
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &line]).env_clear().envs(sandbox.env());
        drop(Run::of(&mut shell).exits(0));
        assert!(second.join("az").exists());
        for folder in [&first, &second] {
            let mode = folder.metadata().unwrap().permissions().mode() & 0o7777;
            assert_eq!(mode & !0o755, 0, "{umask}: {mode:o}");
        }
    }
}

/// Another user runs `line` in `folder` repeatedly, until drop.
fn meanwhile(folder: &Path, line: &str) -> Killed {
    let script = format!("while :; do {line}; done");
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", &script]);
    command.current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
    Killed::spawn(&mut command)
}

/// Another user swaps the folder while root installs or removes the shim.
#[test]
fn a_folder_swapped_during_a_shim_command_leads_nowhere() {
    if !is_root() {
        return;
    }
    let sandbox = Sandbox::new();
    let place = open_place(&sandbox);
    let (victim, full) = (sandbox.root().join("victim"), sandbox.root().join("full"));
    for folder in [&victim, &full] {
        std::fs::create_dir(folder).unwrap();
        set_mode(folder, 0o755);
    }
    // A shim that must not be removed.
    symlink(env!("CARGO_BIN_EXE_azt"), full.join("az")).unwrap();
    let folder = place.join("bin");

    // In their own folder, and in a sticky one.
    for (mode, owner) in [(0o755, 65_534), (0o1777, 0)] {
        set_mode(&place, mode);
        chown(&place, Some(owner), None).unwrap();
        let _swapping = meanwhile(
            &place,
            &format!(
                "mkdir bin; rmdir bin; ln -s {} bin; rm -f bin; ln -s {} bin; rm -f bin",
                victim.display(),
                full.display()
            ),
        );
        for round in 0..100 {
            let _ = shim(&sandbox, if round % 4 == 3 { "remove" } else { "install" }, &folder);
            assert!(std::fs::read_dir(&victim).unwrap().next().is_none(), "az for {round}");
            assert!(full.join("az").is_symlink(), "no az for {round}");
            // If azt won the race, the folder is root's and the attacker cannot write in it.
            let made =
                std::fs::symlink_metadata(&folder).is_ok_and(|it| it.is_dir() && it.uid() == 0);
            if made {
                let _ = std::fs::remove_file(folder.join("az"));
                std::fs::remove_dir(&folder).unwrap();
            }
        }
    }
}
