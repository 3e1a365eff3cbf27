// Package outbound makes HTTP clients for addresses that strangers name, such as
// the URL of a webhook or the domain of a shop.
//
// Such a request must not reach what is behind the host's firewall. A check of the
// name is not enough, because a name may resolve to another address a moment later.
// The client of [NewClient] checks each address when it is dialled.
package outbound
