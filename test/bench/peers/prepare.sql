-- What hand-written transactions need: they insert a delivery and its recipients one after the other.
alter table deliveries alter constraint deliveries_first_recipient_fk deferrable initially deferred;
