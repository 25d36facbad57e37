//! The program: reads its command line, starts the supervisor and a front end, and ends with an exit code.
//!
//! Everything else is in the library. SIGINT, SIGTERM, and SIGHUP unless it was inherited as ignored, end the
//! program as `/quit` does.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use meta_orchestrator::command::dispatch::Local;
use meta_orchestrator::command::{Client, Urgency};
use meta_orchestrator::config::Config;
use meta_orchestrator::error::{Failure, Kind};
use meta_orchestrator::host::Host;
use meta_orchestrator::mission::missions::Missions;
use meta_orchestrator::notify::{Notifier, ways::Doors};
use meta_orchestrator::socket::find::{self, Wanted};
use meta_orchestrator::socket::{self, Remote, Server};
use meta_orchestrator::supervisor::doctor::{self, Examination};
use meta_orchestrator::supervisor::{self, Memory, Overrides, Start, Supervisor};
use meta_orchestrator::ui::cli::running::AttachOptions;
use meta_orchestrator::ui::cli::{self, Options, ScreenOptions, Task, Theme};
use meta_orchestrator::ui::mission::MissionTask;
use meta_orchestrator::ui::places::{self, Chosen, ConfigPlace};
use meta_orchestrator::ui::repl::{self, ReplOptions};
use meta_orchestrator::ui::signals::Signals;
use meta_orchestrator::ui::tui::terminal;
use meta_orchestrator::ui::tui::theme::Palette;
use meta_orchestrator::ui::tui::{self, Leaving, TuiOptions};
use meta_orchestrator::ui::{self, demo, demo_agent, diagnostics, found, serve};
use meta_orchestrator::zellij::Zellij;
use tokio_util::sync::CancellationToken;

/// How long the runtime waits for what is still under way once everything has been said.
const LAST: Duration = Duration::from_millis(100);

fn main() -> ExitCode {
    let options = cli::parse();
    match run(&options) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            ui::print_failure(&failure);
            failure.exit_code()
        }
    }
}

fn run(options: &Options) -> Result<u8, Failure> {
    if let Some(text) = options.task.text() {
        return ui::print(&text).map(|()| 0);
    }
    if let Task::DemoAgent { kind } = options.task {
        let ran = demo_agent::run(kind);
        return ran
            .map(|()| 0)
            .map_err(|error| Failure::from_error(Kind::Failed, &error));
    }
    if let Task::Explain(screen) = &options.task {
        return explain(options, screen);
    }
    if let Task::Mission { task } = &options.task
        && let Some(done) = ui::mission::run(task)
    {
        return done;
    }
    if let Task::Ctl(ctl) = &options.task {
        return ui::ctl::run(ctl, &wanted(options));
    }
    if let Some(ran) = ui::past::run(options, &place(options)) {
        return ran;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::from_error(Kind::Failed, &error))?;
    // beside the first questions to zellij
    runtime.spawn_blocking(meta_orchestrator::screen::profile::Profiles::shipped);
    let ended = runtime.block_on(async {
        match options.task {
            Task::Doctor { json } => examine(options, json).await,
            Task::Demo => demo::run(options).await,
            Task::Attach(ref how) => attach(options, how).await,
            Task::Mission {
                task: MissionTask::Plan(ref wanted),
            } => {
                ui::mission::planning::run(wanted, &place(options), options.log_dir.as_deref())
                    .await
            }
            Task::Digest(ref wanted) => {
                ui::past::digest::run(options, wanted, &place(options)).await
            }
            _ => supervise(options).await,
        }
    });
    runtime.shutdown_timeout(LAST);
    ended
}

/// The configuration's place by the command line and the environment.
fn place(options: &Options) -> ConfigPlace {
    places::config(
        options.config.as_deref(),
        |name| std::env::var_os(name),
        Path::exists,
    )
}

/// Which running instance is meant.
fn wanted(options: &Options) -> Wanted {
    let place = place(options);
    let is_named = matches!(place.chosen, Chosen::ByOption | Chosen::ByVariable);
    let (config, rather) = if is_named {
        (Some(place.path), None)
    } else {
        (None, Some(place.path))
    };
    Wanted {
        socket: options.socket.clone(),
        config,
        rather,
    }
}

/// Opens a front end on a running instance.
async fn attach(options: &Options, how: &AttachOptions) -> Result<u8, Failure> {
    let remote = Remote::new(find::connect(&wanted(options)).await?).await?;
    let hello = remote.hello();
    let greeting = format!(
        "meta-orchestrator {}, process {}, configuration: {}; `/quit` leaves it running; `/help` lists the commands",
        hello.version,
        hello.pid,
        hello.configuration.display()
    );
    let ended = remote.ended();
    let left = CancellationToken::new();
    tokio::spawn(leave(Signals::listen(), ended, left.clone()));
    let front = Front {
        repl: options.repl || how.repl,
        leaving: Leaving::Detaches,
        greeting,
    };
    front.run(Arc::new(remote), options, left).await
}

/// A front end for a person.
struct Front {
    /// Whether the REPL is asked for.
    repl: bool,
    /// What leaving it means.
    leaving: Leaving,
    greeting: String,
}

impl Front {
    /// Runs the TUI, or where it is asked for or there is no terminal, the REPL.
    async fn run(
        self,
        client: Arc<dyn Client>,
        options: &Options,
        ended: CancellationToken,
    ) -> Result<u8, Failure> {
        let history = places::history(|name| std::env::var_os(name));
        if self.repl || terminal::check().is_err() {
            let options = ReplOptions {
                history,
                greeting: self.greeting,
            };
            return repl::run(client, options, ended).await;
        }
        let options = TuiOptions {
            history,
            greeting: self.greeting,
            palette: palette(options.theme),
            leaving: self.leaving,
        };
        tui::run(client, options, ended).await
    }
}

/// Leaves on a signal, and when the other end has ended.
async fn leave(mut signals: Signals, ended: CancellationToken, left: CancellationToken) {
    tokio::select! {
        () = signals.received() => {}
        () = ended.cancelled() => {}
    }
    left.cancel();
}

/// Lets other processes in. That it cannot be done is a warning: everything else goes on.
fn listen(
    options: &Options,
    config: &Path,
    supervisor: &Supervisor,
    client: Local,
) -> Option<Server> {
    let named = options.socket.clone();
    let is_named = named.is_some();
    let path = named.unwrap_or_else(|| socket::address::of_configuration(config));
    let clients =
        Box::new(move |panes| -> Arc<dyn Client> { Arc::new(client.another().out_of(panes)) });
    let started = Server::start(&path, is_named, clients, supervisor.ended());
    started
        .map_err(|failure| {
            let text = format!("`ctl` and `attach` will not find this one: {failure}");
            supervisor.announce(Urgency::Warning, text);
        })
        .ok()
}

/// Takes up what an earlier run left: with `--resume` every mission, else it is only said.
async fn take_up(missions: &Missions, supervisor: &Supervisor, options: &Options) {
    if matches!(options.task, Task::Mission { .. }) {
        return;
    }
    for id in missions.unfinished() {
        let said = if options.memory == cli::Memory::Resume {
            match missions.take_up(&id).await {
                Ok(()) => format!("mission {id} goes on"),
                Err(failure) => format!("mission {id} does not go on: {failure}"),
            }
        } else {
            format!("mission {id} is unfinished: `/mission resume {id}` goes on with it")
        };
        supervisor.announce(Urgency::Warning, said);
    }
}

async fn supervise(options: &Options) -> Result<u8, Failure> {
    let place = place(options);
    let read = supervisor::read_configuration(&place.path)?;
    let greeting = greeting(&place, read.is_some());
    let (config, document) = read.map_or((Config::default(), None), |(config, document)| {
        (config, Some(document))
    });
    let log_dir = match &options.log_dir {
        Some(folder) => folder.clone(),
        None => found::in_force(config.clone(), &place)?.log_dir,
    };
    let _flushed = diagnostics::start(&log_dir)?;
    let zellij = Zellij::find(Host::local(), config.timing.zellij_timeout_sec.duration()).await?;
    let supervisor = Supervisor::start(Start {
        config,
        path: place.path.clone(),
        document,
        overrides: Overrides {
            log_dir: options.log_dir.clone(),
            session: options.zellij_session.clone(),
            observe: options.observe,
            profiles: places::profiles(|name| std::env::var_os(name)),
            found: place.chosen == Chosen::InWorkingFolder,
            trusted: places::trusted(|name| std::env::var_os(name)),
        },
        memory: memory(options),
        resume: options.memory == cli::Memory::Resume,
        zellij,
    })
    .await?;
    tokio::spawn(end_on_signal(Signals::listen(), supervisor.clone()));
    let notifier = Notifier::start(&supervisor, Doors::default());
    let missions = Missions::new(supervisor.clone());
    let client = Local::new(supervisor.clone())
        .with_bell(notifier)
        .with_missions(missions.clone());
    let server = listen(options, &place.path, &supervisor, client.another());
    let client = Arc::new(client);
    take_up(&missions, &supervisor, options).await;
    let ended = if let Task::Mission { task } = &options.task {
        ui::mission::carry_out(task, client.as_ref(), &missions, supervisor.ended()).await
    } else if matches!(options.task, Task::Serve(_)) {
        let place = server.as_ref().map(Server::path);
        let place = place.map(|path| format!("; listening at {}", path.display()));
        let greeting = format!("{greeting}{}", place.unwrap_or_default());
        let end = serve::End {
            begun: supervisor.ending(),
            through: supervisor.ended(),
        };
        serve::run(client.as_ref(), &greeting, end).await;
        Ok(0)
    } else {
        let front = Front {
            repl: options.repl,
            leaving: Leaving::Ends,
            greeting,
        };
        front.run(client, options, supervisor.ended()).await
    };
    if !supervisor.ended().is_cancelled() {
        supervisor.quit().await;
    }
    if let Some(server) = server {
        server.closed().await;
    }
    ended
}

/// The colours that are named, else those of the environment.
fn palette(theme: Option<Theme>) -> Palette {
    match theme {
        Some(Theme::Dark) => Palette::Dark,
        Some(Theme::Light) => Palette::Light,
        Some(Theme::Plain) => Palette::Plain,
        None => Palette::of(|name| std::env::var_os(name)),
    }
}

fn memory(options: &Options) -> Memory {
    match (&options.session_id, options.memory) {
        (Some(name), _) => Memory::Named(name.clone()),
        (None, cli::Memory::Fresh) => Memory::Fresh,
        (None, cli::Memory::Continue | cli::Memory::Resume) => Memory::GoOn,
    }
}

fn greeting(place: &ConfigPlace, exists: bool) -> String {
    let path = place.path.display();
    let begins = match (exists, place.chosen) {
        (true, _) => format!("configuration: {path}"),
        (false, Chosen::Nowhere) => {
            format!(
                "no configuration found: an empty roster, and the defaults; `/save` writes {path}"
            )
        }
        (false, _) => {
            format!("there is no {path} yet: an empty roster, and the defaults; `/save` writes it")
        }
    };
    format!(
        "meta-orchestrator {}; {begins}; `/help` lists the commands",
        env!("CARGO_PKG_VERSION")
    )
}

/// Ends the supervisor on a signal. The front end notices, and gives the terminal back.
async fn end_on_signal(mut signals: Signals, supervisor: Supervisor) {
    signals.received().await;
    supervisor.quit().await;
}

/// Explains one screen, by the profiles that a supervisor would use.
fn explain(options: &Options, screen: &ScreenOptions) -> Result<u8, Failure> {
    let place = place(options);
    let config = supervisor::read_configuration(&place.path)?.map(|(config, _)| config);
    let profiles = supervisor::profiles(
        places::profiles(|name| std::env::var_os(name)).as_deref(),
        &config.unwrap_or_default(),
        &place.path,
    )?;
    ui::explain::run(screen, &profiles)
}

/// Checks what the supervisor needs, and says what is missing.
async fn examine(options: &Options, json: bool) -> Result<u8, Failure> {
    let place = place(options);
    let read = supervisor::read_configuration(&place.path);
    let mut examination =
        Examination::new(&place.path, read.map(|read| read.map(|(config, _)| config)));
    if place.chosen == Chosen::InWorkingFolder {
        examination = examination.found(places::trusted(|name| std::env::var_os(name)).as_deref());
    }
    examination.log_dir.clone_from(&options.log_dir);
    examination.session.clone_from(&options.zellij_session);
    let examined = doctor::examine(examination).await;
    let text = if json {
        examined.to_json()
    } else {
        examined.to_text()
    };
    ui::print(text.as_bytes())?;
    Ok(examined.exit_code())
}
