/*
 * PID 1 of Gabion's containers: starts a program and starts it again at once whenever it ends, so that the pause of a crash is
 * the start of a process and not the back-off of a kubelet; reaps orphans; keeps open descriptors for the program, so that block
 * devices survive it; hands them over to the supervisor of the next pod.
 *
 *   supervisor [--keep SOCKET_PATH] [--] PROGRAM ARGUMENTS...
 *
 * With --keep the program finds a socket of whole messages (SOCK_SEQPACKET) under the number in GABION_KEEP_FD:
 *   KEEP name + descriptor -> OK    DROP name -> OK    LIST -> (FD name + descriptor)* END count    ALIVE -> OK
 * and anything wrong is answered ERR reason. At the first LIST this supervisor asks the one that listens at SOCKET_PATH, its
 * predecessor in another pod, to stop its program and to hand everything over (TAKE, confirmed by TAKEN); then it listens there
 * itself. So the new program is started and warm before the old one is stopped. A predecessor goes on if its successor dies.
 *
 * A program that said ALIVE and then does not again for SILENCE_MS hangs: it is killed and started again. A kubelet's probe could
 * only end this process, and with it what it keeps.
 *
 * SIGTERM and SIGINT are passed on; the supervisor ends with its program, or kills it after GRACE_MS.
 *
 *   gcc -O2 -Wall -Wextra -Werror -static -o supervisor supervisor.c
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define say(...) (fputs("supervisor: ", stderr), fprintf(stderr, __VA_ARGS__), fputc('\n', stderr))

#ifndef SILENCE_MS
#define SILENCE_MS 60000
#endif

enum {
    MAX_KEPT = 2048, /* two for each of a thousand volumes */
    MAX_NAME = 100,
    MAX_MESSAGE = 256,
    GRACE_MS = 25000,         /* less than the 30 seconds of a pod */
    QUICK_FAILURE_MS = 5000, /* a program that lived longer is started again without a pause */
    FIRST_PAUSE_MS = 100,
    LONGEST_PAUSE_MS = 5000,
    HAND_OVER_MS = 60000, /* a predecessor needs its grace at most */
    USAGE_EXIT = 2,       /* the program's command line is wrong: starting it again cannot help */
};

static struct {
    char name[MAX_NAME];
    int fd;
} kept[MAX_KEPT];
static int kept_count, pause_ms;
static pid_t child;
static int signals, child_socket = -1, listener = -1, successor = -1; /* the listener is where a successor finds us */
static const char *keep_path;
static char **program;
static bool stopping;    /* told to end */
static bool handed_over; /* the descriptors are, or will be, another supervisor's */
static bool took;        /* the predecessor was asked, or there is none */
static long long child_started_ms, kill_at_ms, start_at_ms, silent_at_ms; /* 0: never */
static sigset_t mask_of_program;

static long long now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* ---- messages: a line of text and at most one descriptor */
union control {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
};

static bool send_message(int socket, int fd, const char *format, ...) {
    char text[MAX_MESSAGE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    struct iovec body = {text, strlen(text)};
    union control control = {.header = {.cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
    struct msghdr message = {.msg_iov = &body, .msg_iovlen = 1, .msg_control = fd < 0 ? NULL : &control};
    message.msg_controllen = fd < 0 ? 0 : sizeof control;
    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    return sendmsg(socket, &message, MSG_NOSIGNAL) >= 0;
}

/* False when the other side is gone; *fd is -1 without a descriptor. */
static bool receive_message(int socket, char *text, int *fd) {
    struct iovec body = {text, MAX_MESSAGE - 1};
    union control control;
    struct msghdr message = {.msg_iov = &body, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    *fd = -1;
    ssize_t length = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    text[length > 0 ? length : 0] = 0;
    struct cmsghdr *rights = length > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (rights && rights->cmsg_level == SOL_SOCKET && rights->cmsg_type == SCM_RIGHTS)
        memcpy(fd, CMSG_DATA(rights), sizeof *fd);
    return length > 0;
}

/* ---- what is kept */
static void drop(const char *name) {
    for (int i = 0; i < kept_count; i++)
        if (!strcmp(kept[i].name, name)) {
            close(kept[i].fd);
            kept[i] = kept[--kept_count];
            return;
        }
}

static void drop_all(void) {
    while (kept_count > 0)
        close(kept[--kept_count].fd);
}

/* Takes the descriptor over; returns the answer. */
static const char *keep(const char *name, int fd) {
    size_t length = strlen(name);
    if (fd < 0)
        return "ERR no descriptor came along";
    if (length > 0 && length < MAX_NAME)
        drop(name);
    if (length == 0 || length >= MAX_NAME || kept_count == MAX_KEPT) {
        close(fd);
        return kept_count == MAX_KEPT ? "ERR too many descriptors are kept" : "ERR a name has 1 to 99 bytes";
    }
    memcpy(kept[kept_count].name, name, length + 1);
    kept[kept_count++].fd = fd;
    return "OK";
}

static bool send_all(int socket) {
    for (int i = 0; i < kept_count; i++)
        if (!send_message(socket, kept[i].fd, "FD %s", kept[i].name))
            return false;
    return send_message(socket, -1, "END %d", kept_count);
}

/* ---- the program */
static void start_child(void) {
    int pair[2] = {-1, -1};
    if (keep_path && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
        say("socketpair: %s; nothing is kept", strerror(errno));
    if (child_socket >= 0)
        close(child_socket);
    child_socket = pair[0];
    start_at_ms = silent_at_ms = 0;
    child_started_ms = now_ms();
    child = fork();
    if (child < 0) {
        say("fork: %s", strerror(errno));
        exit(1);
    }
    if (child == 0) {
        sigprocmask(SIG_SETMASK, &mask_of_program, NULL);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (pair[1] >= 0) {
            char number[16];
            snprintf(number, sizeof number, "%d", pair[1]);
            setenv("GABION_KEEP_FD", number, 1);
            fcntl(pair[1], F_SETFD, 0);
        }
        execvp(program[0], program);
        say("cannot run %s: %s", program[0], strerror(errno));
        _exit(127);
    }
    if (pair[1] >= 0)
        close(pair[1]);
}

static void stop_child(void) {
    start_at_ms = 0;
    if (child > 0 && !kill(child, SIGTERM) && !kill_at_ms)
        kill_at_ms = now_ms() + GRACE_MS;
}

static void forget_successor(void) {
    close(successor);
    successor = -1;
    if (!handed_over)
        return;
    handed_over = false;
    if (child <= 0 && stopping)
        exit(0);
    say("the successor is gone, going on");
    if (child <= 0)
        start_child();
}

static void child_ended(int status) {
    long long lived = now_ms() - child_started_ms;
    child = 0;
    kill_at_ms = silent_at_ms = 0;
    int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    say("%s ended with %d after %lld ms", program[0], code, lived);
    if (handed_over && !send_all(successor))
        forget_successor();
    if (handed_over || child > 0)
        return;
    if (stopping || (code == USAGE_EXIT && kept_count == 0))
        exit(code);
    if (lived >= QUICK_FAILURE_MS)
        pause_ms = 0;
    start_at_ms = now_ms() + pause_ms;
    pause_ms = pause_ms == 0 ? FIRST_PAUSE_MS : pause_ms * 2 < LONGEST_PAUSE_MS ? pause_ms * 2 : LONGEST_PAUSE_MS;
}

/* ---- from pod to pod */
static int socket_at(const char *path, bool listening) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if ((size_t)snprintf(address.sun_path, sizeof address.sun_path, "%s", path) >= sizeof address.sun_path) {
        say("--keep %s is longer than Linux takes for a socket", path);
        exit(USAGE_EXIT);
    }
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    struct sockaddr *any = (struct sockaddr *)&address;
    if (fd >= 0 && (listening ? bind(fd, any, sizeof address) || listen(fd, 1) : connect(fd, any, sizeof address))) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Under a name of its own first: a successor must never find a socket that nobody answers. */
static void listen_for_successor(void) {
    char own[MAX_MESSAGE];
    snprintf(own, sizeof own, "%s.%d", keep_path, getpid() % 100000);
    unlink(own);
    mode_t mask = umask(0177);
    listener = socket_at(own, true);
    umask(mask);
    if (listener < 0 || rename(own, keep_path))
        say("cannot listen at %s: %s; a successor will find nothing", keep_path, strerror(errno));
}

/* Asks the predecessor, where there is one, to stop its program, and takes over what it kept: all or nothing. */
static bool take_over(void) {
    int predecessor = socket_at(keep_path, false);
    if (predecessor >= 0) {
        struct timeval patience = {.tv_sec = HAND_OVER_MS / 1000};
        setsockopt(predecessor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        say("asking the predecessor at %s to hand over", keep_path);
        char text[MAX_MESSAGE];
        int fd;
        bool complete = false;
        long long since = now_ms();
        bool more = send_message(predecessor, -1, "TAKE");
        while (more && receive_message(predecessor, text, &fd)) {
            if (!strncmp(text, "FD ", 3)) {
                keep(text + 3, fd);
            } else {
                complete = !strncmp(text, "END ", 4) && atoi(text + 4) == kept_count && send_message(predecessor, -1, "TAKEN");
                more = false;
            }
        }
        close(predecessor);
        say("took over %d descriptors in %lld ms%s", kept_count, now_ms() - since, complete ? "" : ", but not all: none is used");
        if (!complete) {
            drop_all();
            return false;
        }
    }
    took = true;
    listen_for_successor();
    return true;
}

static void answer_successor(void) {
    char text[MAX_MESSAGE];
    int fd;
    bool there = receive_message(successor, text, &fd);
    if (fd >= 0)
        close(fd);
    if (there && !strcmp(text, "TAKE") && !handed_over && !stopping) {
        say("handing over to a successor");
        handed_over = true;
        stop_child();
        if (child <= 0 && !send_all(successor))
            forget_successor();
    } else if (there && !strcmp(text, "TAKEN") && handed_over && child <= 0) {
        drop_all();
        close(successor);
        close(listener);
        successor = listener = -1;
        say("handed over");
        if (stopping)
            exit(0);
    } else {
        forget_successor();
    }
}

static void answer_child(void) {
    char text[MAX_MESSAGE];
    int fd;
    if (!receive_message(child_socket, text, &fd)) {
        close(child_socket);
        child_socket = -1;
        return;
    }
    const char *answer = "ERR unknown word";
    if (!strncmp(text, "KEEP ", 5)) {
        answer = keep(text + 5, fd);
        fd = -1;
    } else if (!strncmp(text, "DROP ", 5)) {
        drop(text + 5);
        answer = "OK";
    } else if (!strcmp(text, "ALIVE")) {
        silent_at_ms = now_ms() + SILENCE_MS;
        answer = "OK";
    } else if (!strcmp(text, "LIST")) {
        answer = took || take_over() ? NULL : "ERR the predecessor did not hand over";
    }
    if (fd >= 0)
        close(fd);
    if (!(answer ? send_message(child_socket, -1, "%s", answer) : send_all(child_socket)))
        say("%s does not listen", program[0]);
}

/* ---- what happens */
static void handle_signal(void) {
    struct signalfd_siginfo info;
    if (read(signals, &info, sizeof info) != sizeof info)
        return;
    if (info.ssi_signo == SIGCHLD) {
        int status;
        for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
            if (pid == child)
                child_ended(status);
    } else if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) {
        stopping = true;
        stop_child();
        /* A successor that is just taking over is waited for. */
        if (child <= 0 && successor < 0)
            exit(0);
    } else if (child > 0) {
        kill(child, (int)info.ssi_signo);
    }
}

static long long earlier(long long one, long long other) {
    return !one || (other && other < one) ? other : one;
}

/* Does what is due by the clock; returns how long to wait for the rest. */
static int due(void) {
    if (kill_at_ms && now_ms() >= kill_at_ms) {
        say("%s does not end, killing it", program[0]);
        kill(child, SIGKILL);
        kill_at_ms = 0;
    }
    if (silent_at_ms && now_ms() >= silent_at_ms) {
        say("%s gave no sign of life for %d ms, killing it", program[0], SILENCE_MS);
        kill(child, SIGKILL);
        silent_at_ms = 0;
    }
    if (start_at_ms && now_ms() >= start_at_ms)
        start_child();
    long long next = earlier(kill_at_ms, earlier(start_at_ms, silent_at_ms));
    return !next ? -1 : next > now_ms() ? (int)(next - now_ms()) : 0;
}

int main(int count, char **words) {
    int at = count > 2 && !strcmp(words[1], "--keep") ? 3 : 1;
    keep_path = at == 3 ? words[2] : NULL;
    if (at < count && !strcmp(words[at], "--"))
        at++;
    if (at >= count || words[at][0] == '-') {
        fputs("usage: supervisor [--keep SOCKET_PATH] [--] PROGRAM ARGUMENTS...\n", stderr);
        return USAGE_EXIT;
    }
    program = words + at;
    /* Memory that the program needs to write dirty pages back must not wait for dirty pages to be written back. */
    if (prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0))
        say("PR_SET_IO_FLUSHER: %s (needs CAP_SYS_RESOURCE); going on without", strerror(errno));
    struct rlimit files = {0, 0};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    sigset_t handled;
    sigemptyset(&handled);
    for (const int *number = (const int[]){SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT, 0}; *number; number++)
        sigaddset(&handled, *number);
    sigprocmask(SIG_BLOCK, &handled, &mask_of_program);
    signals = signalfd(-1, &handled, SFD_CLOEXEC);
    start_child();
    for (;;) {
        int timeout = due();
        struct pollfd waiting[] = {{signals, POLLIN, 0}, {child_socket, POLLIN, 0}, {listener, POLLIN, 0}, {successor, POLLIN, 0}};
        if (poll(waiting, 4, timeout) <= 0)
            continue;
        if (waiting[0].revents)
            handle_signal();
        if (waiting[1].revents && child_socket == waiting[1].fd)
            answer_child();
        if (waiting[2].revents && listener == waiting[2].fd) {
            /* One at a time: the connection of the one who takes over stays until the end. */
            if (successor >= 0)
                close(accept(listener, NULL, NULL));
            else
                successor = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        }
        if (waiting[3].revents && successor == waiting[3].fd)
            answer_successor();
    }
}
