//! Tests with complete folders, and with all invalid values of a row.

mod problems;
mod world;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use rollcall_simulators::world::{CourseType, CustomField, FieldKind, Progress, UserType};

use super::testing::{COURSES, ENROLMENTS, TENANT, USERS, folder_of, import, sentences};
use super::*;

const ANN: &str = "ann@contoso.example,Ann,00000000-0000-4000-8000-00000000000a,ann.a@contoso.example,True,Member,Denver\n";
const BEA: &str = "bea@contoso.example,Bea,00000000-0000-4000-8000-00000000000b,,False,Member,\n";
const SECURITY: &str =
    "00000000-0000-4000-8000-0000000000c1,Security 101,Compliance,ELearning,True\n";
