package stats

import "context"

// Record adds facts to all the roll-ups that they count in. An action for the
// unit in which the facts happen, and the last thing that it does: roll-ups
// are hot, and a unit keeps them locked until it commits. One call takes all
// facts of a unit, so that each roll-up is locked once and in order.
func Record(ctx context.Context, tx Tx, facts ...Fact) error {
	if len(facts) == 0 {
		return nil
	}
	changes := make([]Change, len(facts), len(facts)+1)
	met := false
	for i := range facts {
		changes[i] = facts[i].change()
		met = met || facts[i].meets()
	}
	if met {
		more, err := readers(ctx, tx, facts)
		if err != nil {
			return err
		}
		changes = append(changes, more...)
	}
	return tx.Stats().Add(ctx, changes...)
}

// readers notes who came to the campaigns, and returns a change for each that
// came for the first time that day.
func readers(ctx context.Context, tx Tx, facts []Fact) ([]Change, error) {
	visits := make([]Visit, 0, len(facts))
	for i := range facts {
		if e := &facts[i]; e.meets() {
			visits = append(visits, e.visit())
		}
	}
	added, err := tx.Stats().Meet(ctx, visits...)
	if err != nil || len(added) == 0 {
		return nil, err
	}
	changes := make([]Change, len(added))
	for i, v := range added {
		changes[i] = v.change()
	}
	return changes, nil
}

func (e *Fact) visit() Visit {
	return Visit{AdvertiserID: e.AdvertiserID, OfferID: e.OfferID, Day: e.Day, Reader: e.Reader}
}

// change counts a reader who is new to a campaign. Readers have no source: one
// may come from several, and which was first is chance.
func (v *Visit) change() Change {
	return Change{
		Key:     Key{AdvertiserID: v.AdvertiserID, Day: v.Day, OfferID: v.OfferID},
		Figures: Figures{Readers: 1}, Levels: 1 << CampaignLevel,
	}
}
