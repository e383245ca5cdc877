from pipelines.flink.samples import merge, sample_of

OPERATOR = "[7]{Ingest__Decode__Clean__PublishR"


def test_labels_come_back_out_of_flinks_names() -> None:
    name = f'{OPERATOR}.moodwire_moodwire_dead_letters_total{{stage="decode"_cause="no_id"}}'

    assert sample_of(name) == 'moodwire_dead_letters_total{stage="decode",cause="no_id"}'


def test_metrics_of_others_are_none_of_ours() -> None:
    assert sample_of(f"{OPERATOR}.numRecordsIn") is None
    assert sample_of(f"{OPERATOR}.moodwire_model_num_inferences") is None


def test_counters_add_up_over_operators_and_gauges_do_not() -> None:
    found = merge(
        {
            "a.moodwire_moodwire_posts_read_total": (5.0, 3.0),
            "b.moodwire_moodwire_posts_read_total": (2.0, 2.0),
            "a.moodwire_moodwire_watermark_timestamp_seconds": (300.0, 200.0),
        }
    )

    assert found == {"moodwire_posts_read_total": 7, "moodwire_watermark_timestamp_seconds": 200}
