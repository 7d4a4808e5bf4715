package io.gabion.faults.powerloss;

/** What a connection does with its requests. */
interface FuseHandler {
    /**
     * Handles one request, called on a reader thread. The request and the reply are valid until this returns; a
     * handler that answers later copies the request.
     */
    void handle(FuseRequest request, FuseReply reply, LinuxCalls calls, FuseConnection connection);
}
