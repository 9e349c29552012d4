//! The program: reads the command line and runs it.

use std::process::ExitCode;

use clap::Parser;
use fifty_fifty::config::Cli;
use fifty_fifty::program;

#[tokio::main]
async fn main() -> ExitCode {
    match program::run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fifty-fifty: {error}");
            ExitCode::FAILURE
        }
    }
}
