package affiliate

// Viewer is for whom a service does something. The zero Viewer is the operator,
// who sees everything and may do everything: callers in the same process are
// trusted. An adapter passes [ViewerOf] of the principal that it authenticated,
// and the service decides, in the unit that reads or writes, what that one sees.
//
// A service takes its viewer once, by its For method:
//
//	campaigns := kit.Offers.For(affiliate.ViewerOf(principal))
//	view, err := campaigns.Offer(ctx, 17) // ErrNotFound unless the principal may see it
//
// What a viewer may not see is not there: the error is that of an unknown id.
type Viewer struct{ principal *Principal }

// ViewerOf is the principal as a viewer.
func ViewerOf(p Principal) Viewer { return Viewer{&p} }

// Principal returns who the viewer is; the operator for the zero Viewer.
func (v Viewer) Principal() Principal {
	if v.principal == nil {
		return Principal{Role: RoleAdmin}
	}
	return *v.principal
}

// ActsFor reports whether the viewer may change what belongs to the advertiser.
func (v Viewer) ActsFor(advertiserID int64) bool {
	return v.principal == nil || v.principal.ActsFor(advertiserID)
}

// IsOperator reports whether the viewer sees everything.
func (v Viewer) IsOperator() bool { return v.principal == nil || v.principal.IsAdmin() }
