// SPDX-License-Identifier: LGPL-2.1-or-later
#include "common/daemon/background.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

namespace plimsoll::daemon {

namespace {

int wait_for_child(const std::string& program, pid_t child, int word) {
  char byte = 0;
  ssize_t n = 0;
  do {
    n = ::read(word, &byte, 1);
  } while (n < 0 && errno == EINTR);
  if (n == 1) return 0;
  // The pipe closed without a word: the child ended.
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  std::fprintf(stderr, "%s: died at start: %s\n", program.c_str(), ::strsignal(WTERMSIG(status)));
  return 1;
}

}  // namespace

Background::~Background() {
  if (word_ >= 0) ::close(word_);
}

std::optional<int> Background::enter(const std::string& program) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    std::fprintf(stderr, "%s: cannot create a pipe: %s\n", program.c_str(), std::strerror(errno));
    return 1;
  }
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child < 0) {
    std::fprintf(stderr, "%s: cannot fork: %s\n", program.c_str(), std::strerror(errno));
    return 1;
  }
  if (child > 0) {
    ::close(ends[1]);
    return wait_for_child(program, child, ends[0]);
  }
  ::close(ends[0]);
  word_ = ends[1];
  ::setsid();
  return std::nullopt;
}

void Background::up(const std::string& log_file) {
  if (word_ < 0) return;
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  int errors = -1;
  if (!log_file.empty())
    errors = ::open(log_file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  std::fflush(nullptr);
  if (null >= 0) {
    ::dup2(null, STDIN_FILENO);
    ::dup2(null, STDOUT_FILENO);
    ::dup2(errors >= 0 ? errors : null, STDERR_FILENO);
    ::close(null);
  }
  if (errors >= 0) ::close(errors);
  // The parent may be gone already (killed): then nobody waits for the word.
  static_cast<void>(!::write(word_, "1", 1));
  ::close(word_);
  word_ = -1;
}

void ignore_sigpipe() {
  ::signal(SIGPIPE, SIG_IGN);
}

void exit_now(int code) {
  ::_exit(code);
}

}  // namespace plimsoll::daemon
